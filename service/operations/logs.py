"""Structured logs: one JSON object a line, without personal data.

A line is made of closed sets: when, how grave, who speaks, and the fields of `FIELDS`. Of a request that is its id, the
route's template, method, status and time taken: never the path, the query, a header, the body or the user. The text of
a message is kept from our own code alone, where it is a constant; of a library only who spoke and of an exception only
its kind and place are kept, for what it says may hold what a client's record says.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

#: What a line may hold besides when, how grave, who and what: numbers, codes of ours and ids without meaning.
FIELDS = (
    "request",
    "method",
    "route",
    "status",
    "milliseconds",
    "count",
    "seconds",
    "threshold",
    "reason",
    "revision",
    "rule",
    "pack",
    "port",
    "error",
    "place",
)
#: Whose messages are constants with such values: our own code, the server's life, migrations.
OWN = ("polku", "service", "rules", "statemachines", "uvicorn.error", "alembic.runtime")
LONGEST_TRACE = 12  # places of an exception, innermost last

#: The request being worked on in this context; empty outside one.
current_request: ContextVar[str] = ContextVar("polku_request", default="")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if _is_own(record.name):
            line["message"] = record.getMessage()
        else:
            line["place"] = f"{record.module}:{record.lineno}"
        request = current_request.get()
        if request:
            line["request"] = request
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True, default=lambda value: type(value).__name__)


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, as `file:line function`, innermost last: no text of the program, no values."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-LONGEST_TRACE:]


def start_logging(level: str = "info", stream: IO[str] | None = None) -> None:
    """Send every log line of this process to `stream` (standard output) as JSON; uvicorn's own access log is off."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for other in root.handlers[:]:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Libraries that tell addresses and queries when they go well are heard only when they do not.
    for name in ("httpx", "httpcore", "sqlalchemy", "authlib", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
    logging.getLogger("uvicorn.access").disabled = True


def _is_own(name: str) -> bool:
    return name.startswith(tuple(f"{own}." for own in OWN)) or name in OWN
