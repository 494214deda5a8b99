"""Spark started, asked and ended by a check, quietly: what it logs could tell of clients, so nothing of it is shown.

PySpark and Java are optional. Only this module and service.checks.spark import PySpark, and only when they are asked.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.checks.errors import CheckError
from service.checks.spark_folding import FoldFailed
from service.checks.whole import OWNER_ONLY

LEAST_JAVA = 17
LOCAL_HOST = "127.0.0.1"
#: Seconds that Java is given to say its version, and Spark's to end.
PATIENCE = 20.0
#: What every run is set to: one meaning of time and numbers, no pages, no words but faults.
_SETTINGS = {
    "spark.app.name": "polku check",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.catalogImplementation": "in-memory",
    # What follows from conditions as large as the rules' is long to work out, and of no use.
    "spark.sql.constraintPropagation.enabled": "false",
    # No limit: to weigh a batch at every row of it takes longer than all the rest that Spark does.
    "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.session.timeZone": "UTC",
}
_ON_THIS_MACHINE = {"spark.driver.host": LOCAL_HOST, "spark.driver.bindAddress": LOCAL_HOST}
#: What Spark says when a Python process is gone: before it had anything to do, or at work.
_CUT_OFF = (
    "Python worker exited",
    "Python worker failed to connect",
    "Python daemon",
    "Broken pipe",
    "Connection reset",
    "EOFException",
)
_FAILED = re.compile(rf"{FoldFailed.__name__}: (.*)")
_VERSION = re.compile(r'version "(\d+)')


def is_local(master: str) -> bool:
    """Whether a master is this machine alone."""
    return master.startswith("local")


def lacking() -> str | None:
    """What is missing here for Spark to run, in words for people; None: nothing."""
    if find_spec("pyspark") is None or find_spec("pandas") is None:
        return "PySpark is not installed: pip install 'polku[spark]'"
    java, version = _java()
    if java is None:
        return f"no Java: {_INSTALL}"
    if version is None:
        return f"{java} does not run: {_INSTALL}"
    return None if version >= LEAST_JAVA else f"{java} is Java {version}: {_INSTALL}"


_INSTALL = (
    f"install Java {LEAST_JAVA} or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless) "
    "or name yours in JAVA_HOME"
)


def _java() -> tuple[str | None, int | None]:
    """The Java that Spark would start, and its version."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if java is None or shutil.which(java) is None:
        return java if home else None, None
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return java, None
    found = _VERSION.search(told.stderr + told.stdout)
    return java, int(found[1]) if found else None


@contextmanager
def spark_session(master: str, work: Path) -> Iterator[Any]:
    """A session of Spark, ended afterwards. What it writes for itself here lies in `work`.

    Raises CheckError when Spark cannot run, or does not start.
    """
    missing = lacking()
    if missing is not None:
        raise CheckError(f"--engine spark cannot run here: {missing}")
    log = work / "spark.log"
    log.touch(OWNER_ONLY)
    with log.open("wb") as told, _surroundings(is_local(master)), _signals_kept():
        gateway, context = _started(_conf(master, work), told)
    try:
        from pyspark.sql import SparkSession

        yield SparkSession(context)
    finally:
        _ended(gateway, context)


def _conf(master: str, work: Path) -> Mapping[str, str]:
    own = {"spark.master": master, "spark.sql.warehouse.dir": str(work / "warehouse")}
    if is_local(master):
        own |= {**_ON_THIS_MACHINE, "spark.local.dir": str(work / "spark")}
    return _SETTINGS | own


def _started(settings: Mapping[str, str], told: Any) -> tuple[Any, Any]:
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway

    conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    gateway: Any = None
    try:
        # What Java says goes to the file: it is not told who listens to it.
        gateway = launch_gateway(conf, popen_kwargs={"stdout": told, "stderr": told})
        return gateway, SparkContext(conf=conf, gateway=gateway)
    except (Py4JError, PySparkException, OSError, ValueError) as error:
        why = f"Spark did not start with the master {settings['spark.master']} ({_first_line(error)})"
    except BaseException:
        _ended(gateway, None)
        raise
    _ended(gateway, None)
    raise CheckError(why)


@contextmanager
def _surroundings(local: bool) -> Iterator[None]:
    """The environment that Spark starts in: this Python everywhere, unless told otherwise, and no look at the network
    when there is no need for one."""
    wanted = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    if local:
        wanted["SPARK_LOCAL_IP"] = LOCAL_HOST
    added = [name for name in wanted if name not in os.environ]
    os.environ.update({name: wanted[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ctrl-C goes on meaning what it meant: PySpark takes it for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ended(gateway: Any, context: Any) -> None:
    """Spark and its Java have ended, and a next check may start them again."""
    from pyspark import SparkContext

    if context is not None:
        with suppress(Exception):  # it may have ended before its time: that is told where it was noticed
            context.stop()
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    process = gateway.proc
    if process is None:  # someone else started it
        return
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def told_in_words(doing: str) -> Iterator[None]:
    """Faults of Spark as CheckError, in words that hold nothing of a client."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
        return
    except AnalysisException as error:  # about the plan, before anything is read
        why = _first_line(error)
    except (Py4JError, PySparkException) as error:
        why = _in_words(error)
    except (ConnectionError, EOFError):
        why = "Spark ended before its time"
    raise CheckError(f"{doing}: {why}")


def _in_words(error: Exception) -> str:
    told = str(error)
    found = _FAILED.search(told)
    if found is not None:
        return found[1].strip()
    if "ModuleNotFoundError" in told:
        return "Polku is not installed for the Python of every machine: PYSPARK_PYTHON says which Python that is"
    if any(sign in told for sign in _CUT_OFF):
        return (
            "a Python process ended before its time; out of memory, often: give Spark's Python processes more "
            "(spark.executor.memoryOverhead), or run fewer at a time"
        )
    if "Py4JNetworkError" in type(error).__name__ or "Answer from Java side is empty" in told:
        return "Spark ended before its time"
    condition = getattr(error, "getCondition", lambda: None)()
    return f"Spark failed ({condition or type(error).__name__})"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
