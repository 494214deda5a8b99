#!/bin/sh
# Makes the Python environment that every make target uses; leaves at once when it is up to date.
#
#   scripts/environment.sh [FOLDER [EXTRA …]]      FOLDER is .venv when left out
#
# An EXTRA is one of pyproject.toml's optional sets of packages, installed beside those that every target needs:
# `bench` for `make bench`, `spark` for `make test` where Java 17 or newer is found (500 MB; POLKU_SPARK=no leaves it out).
#
# POLKU_PYTHON names the Python to use (3.11, 3.12 or 3.13). Without it an environment that works is kept, and a new one
# is made with python3, or else the first of python3.12, python3.11 and python3.13 that is there.
set -eu
cd "$(dirname "$0")/.."
venv=${1:-.venv}
[ $# -eq 0 ] || shift
python=$venv/bin/python
stamp=$venv/.polku-ready

# Python 3.13 lost a name that durable-rules 2.0.28 calls: built without this it installs, but cannot be imported.
CPPFLAGS="${CPPFLAGS:-} -DPyEval_CallObject=PyObject_CallObject"
# The pins hold for what builds a package, too: older pips read the first, newer ones the second.
PIP_CONSTRAINT=constraints.txt
PIP_BUILD_CONSTRAINT=constraints.txt
PIP_DISABLE_PIP_VERSION_CHECK=1
PIP_NO_INPUT=1
export CPPFLAGS PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT

say() { printf 'polku: %s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

version_of() { # "3.12" for a Python that runs, else nothing
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || :
}

supported() { # is this version one Polku runs on?
    case "$1" in 3.11 | 3.12 | 3.13) return 0 ;; *) return 1 ;; esac
}

fingerprint() { # changes with the pins, with this script and with the folder (an environment cannot be moved)
    { pwd && cat pyproject.toml constraints.txt scripts/environment.sh; } | cksum
}

fits() { # does the environment's Python run, and is it the one asked for?
    have=$(version_of "$python")
    supported "$have" && { [ -z "${POLKU_PYTHON:-}" ] || [ "$have" = "$(version_of "$POLKU_PYTHON")" ]; }
}

choose_python() {
    if [ -n "${POLKU_PYTHON:-}" ]; then
        supported "$(version_of "$POLKU_PYTHON")" ||
            fail "POLKU_PYTHON=$POLKU_PYTHON is no Python 3.11, 3.12 or 3.13 that runs."
        printf '%s\n' "$POLKU_PYTHON"
        return
    fi
    for name in python3 python3.12 python3.11 python3.13; do
        if supported "$(version_of "$name")"; then
            printf '%s\n' "$name"
            return
        fi
    done
    fail "Polku needs Python 3.11, 3.12 or 3.13 and found none. Install one (Debian, Ubuntu: apt-get install" \
        "python3 python3-venv python3-dev), or name yours: make POLKU_PYTHON=/path/to/python3.12 …"
}

make_venv() {
    chosen=$(choose_python)
    if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        fail "$venv is there, but is no Python environment: move it away."
    fi
    say "making $venv with $chosen ($(version_of "$chosen"))"
    "$chosen" -m venv --clear "$venv" ||
        fail "$chosen could not make an environment. On Debian and Ubuntu: apt-get install python3-venv"
}

explain_build() { # says what a failed build lacks, as far as it can be seen from here
    compiler=${CC:-$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')}
    if ! command -v "${compiler%% *}" >/dev/null; then
        say "there is no C compiler (${compiler%% *}); durable-rules is built from source and needs one." \
            "Debian, Ubuntu: apt-get install gcc libc6-dev. Fedora: dnf install gcc. macOS: xcode-select --install"
    fi
    headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    if [ ! -e "$headers/Python.h" ]; then
        say "Python's C headers are missing ($headers/Python.h)." \
            "Debian, Ubuntu: apt-get install python3-dev. Fedora: dnf install python3-devel"
    fi
}

install_packages() {
    say "installing the pinned packages (a minute or two the first time)"
    "$python" -m pip install -qq --use-pep517 --editable '.[dev]' || return 1
    "$python" -c 'import durable.engine' 2>/dev/null && return
    say "this durable-rules was built without the flag it needs (a cached wheel?): building it afresh"
    "$python" -m pip install -qq --use-pep517 --no-cache-dir --no-binary durable-rules \
        --no-deps --force-reinstall durable-rules || return 1
    "$python" -c 'import durable.engine'
}

java_version() { # "17" for the Java that Spark would start, else nothing
    { "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 || :; } | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

wanted() { # is this extra to be installed here?
    [ "$1" = spark ] || return 0
    [ "${POLKU_SPARK:-yes}" != no ] && [ "$(java_version)" -ge 17 ] 2>/dev/null
}

install_extra() {
    if [ "$(cat "$stamp-$1" 2>/dev/null)" = "$(fingerprint)" ] || ! wanted "$1"; then return; fi
    say "installing the extra packages for $1"
    "$python" -m pip install -qq --use-pep517 --editable ".[$1]" ||
        fail "the packages for $1 could not be installed; what pip said stands above."
    fingerprint >"$stamp-$1"
}

if ! fits; then make_venv; fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$(fingerprint)" ]; then
    rm -f "$stamp"
    # An environment whose making broke off has a Python that runs, but no pip.
    "$python" -m pip --version >/dev/null 2>&1 || make_venv
    if ! install_packages; then
        explain_build
        fail "the packages could not be installed; what pip said stands above."
    fi
    fingerprint >"$stamp"
    say "$venv is ready"
fi
for extra in "$@"; do install_extra "$extra"; done
