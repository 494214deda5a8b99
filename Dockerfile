# Polku in a container: no root, nothing to write to but /tmp. compose.yaml runs it with PostgreSQL.
#
#   docker build -t polku .
#
# Debian 13's own PostgreSQL client programs are of version 17: good for a server up to 17 (`polku backup`).

FROM python:3.12-slim-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml constraints.txt README.md ./
COPY rules ./rules
COPY statemachines ./statemachines
COPY service ./service
# The flag is durable-rules' (scripts/environment.sh tells why); the pins hold for what builds a package, too.
ENV CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    PIP_CONSTRAINT=constraints.txt \
    PIP_BUILD_CONSTRAINT=constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/polku \
    && /opt/polku/bin/pip install --use-pep517 . \
    && /opt/polku/bin/python -c 'import durable.engine' \
    && /opt/polku/bin/python -m compileall -q /opt/polku/lib

FROM python:3.12-slim-trixie
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 polku \
    && useradd --system --uid 10001 --gid polku --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin polku
COPY --from=build /opt/polku /opt/polku
ENV PATH=/opt/polku/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    POLKU_HOST=0.0.0.0
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a container whose database is away must not be killed for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["polku"]
CMD ["serve"]
