"""What commands write and how they fail: pages and JSON on standard output, mistakes on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from service.words import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

DONE, FINDINGS, BAD_INPUT = 0, 1, 2
#: Errors whose text is written for people and holds nothing of a client; by name, so that `polku next` need not import
#: what it does not use.
TOLD = ("CaseFileError", "SettingsError", "StoreError", "StoreUnavailable", "Forbidden", "BackupError", "CheckError")
#: As shells count a program whose reader has gone.
READER_GONE = 141
WIDEST = 100
MOST_NAMES = 20
_TRAILING = re.compile(r" +$", re.MULTILINE)
_ESCAPED = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")


class Faults(TyperGroup):
    """A group of commands that tells faults in words: never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong becomes a message and an exit code."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _let_go_of_stdout()
            raise typer.Exit(READER_GONE) from None
        except Exception as error:
            if type(error).__module__.startswith("typer") or os.environ.get("POLKU_TRACEBACK"):
                raise
            fail(_told(error))
        return done


def _told(error: Exception) -> str:
    """A fault in words."""
    # Imported here: a command that goes well does not need them all.
    from rules.engines import EngineDifference, EngineError
    from rules.journal import JournalError
    from rules.pack import PackError

    if isinstance(error, EngineDifference):
        return (
            f"The two rule engines came to different outcomes, so no advice is given.\n  {error}\n"
            "Please report this line to the maintainers of Polku; it holds facts of the case, no names."
        )
    if isinstance(error, EngineError):
        return f"The rule engine failed, so no advice is given.\n  {error}"
    if isinstance(error, PackError):
        count = len(error.problems)
        return "\n  ".join([f"the rule pack cannot be used: {count} mistake{'s' * (count > 1)}", *error.problems])
    if isinstance(error, JournalError) or type(error).__name__ in TOLD:
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return _unexpected(error)


def _unexpected(error: Exception) -> str:
    """A fault of Polku's own. What the error says may hold a client's details, so only its kind and place are told."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return (
        f"something went wrong inside Polku ({type(error).__name__}{place}); no advice is given. Please report this"
        " line with the command to the maintainers. POLKU_TRACEBACK=1 shows more (it may show details of the client)."
    )


def _let_go_of_stdout() -> None:
    """Point standard output nowhere, so that Python's last flush at the end has no one to disappoint."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


def fail(message: str) -> NoReturn:
    """Tell bad input on standard error and leave."""
    told = "\n".join(("  " if line.startswith(" ") else "") + clean(line) for line in message.split("\n"))
    typer.echo(f"polku: {told}", err=True)
    raise typer.Exit(BAD_INPUT)


def nearest(what: str, name: str, known: Iterable[str]) -> str:
    """The message about a name that is not known, with the nearest one or all."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name.lower().replace(" ", "_"), names, n=1, cutoff=0.5)
    known_names = ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)}, such as {names[0]}"
    hint = f"did you mean {near[0]}?" if near else f"known: {known_names}"
    return f'unknown {what} "{clean(name)}"; {hint}'


def write(text: str, out: Path | None = None) -> None:
    """Write text to standard output, or to a file."""
    if out is not None:
        out.write_text(text, encoding="utf-8")
        return
    write_safely()
    sys.stdout.write(text)


def write_safely() -> None:
    """Let a terminal that knows only some letters show the rest as `?`."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def write_json(data: object, out: Path | None = None) -> None:
    """Write JSON. What could steer a terminal is escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    write(_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n", out)


def show(parts: Iterable[RenderableType]) -> None:
    """Write a readable page: as wide as the terminal, up to 100 columns; 80 and no colours into a file or pipe."""
    from rich.console import Console

    write_safely()
    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=False)
    console.width = min(console.width, WIDEST)
    with console.capture() as page:
        for part in parts:
            console.print(part, crop=False)
    sys.stdout.write(_TRAILING.sub("", page.get()))
