"""YAML or JSON text to plain data, with the line of every place, and what is told of a mistake.

YAML is read from its events, without recursion. Booleans, whole numbers and decimals are read as such; everything else
is text, dates too (a note may read 2022-09-05). Anchors, aliases, tags and repeated keys are refused.
"""

import datetime
import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from rules.identity import HIDDEN, contains_code, masked

MAX_BYTES = 5_000_000
MAX_DEPTH = 20  # a case needs five levels
MAX_VALUES = 2_000_000
LONGEST_SHOWN = 200
MAX_KNOWN = 200  # names: among more the nearest is not looked for
LONGEST = 10_000  # characters: no field takes a longer text, so none is searched
DOCUMENT = "document"
CODE_FOUND = "a personal identity code"
CODE_EXPECTED = "a case without identity codes: an id of your own that tells nothing of the person"

Path = tuple[str | int, ...]
Lines = dict[Path, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what was found there, what was expected, and perhaps a hint. Never holds an identity
    code."""

    place: str
    line: int | None
    found: str
    expected: str
    hint: str | None = None

    def __str__(self) -> str:
        line = f" (line {self.line})" if self.line else ""
        # A near name says enough; the list of all would bury it.
        expected = "" if self.hint and self.hint.startswith("did you mean") else f"; expected {self.expected}"
        return f"{self.place}{line}: {self.found}{expected}" + (f"; {self.hint}" if self.hint else "")


class JournalError(ValueError):
    """A case that cannot be read; `problems` holds every mistake found, in the order of the document."""

    def __init__(self, problems: Iterable[Problem], name: str = "case") -> None:
        self.problems = list(problems)
        self.name = masked(name)
        super().__init__(self.problems, self.name)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.name}: {count} mistake{'' if count == 1 else 's'}"
        return "\n  ".join([head, *map(str, self.problems)])


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake with the path to its place in the data; becomes a `Problem`."""

    path: Path
    found: str
    expected: str
    hint: str | None = None
    line: int | None = None
    near: Callable[[], str | None] | None = None  # finds a hint; slow, so only asked when the problem is told

    def line_in(self, lines: Lines) -> int | None:
        """The line of the mistake, or of the nearest thing around it that has one."""
        line, path = self.line, self.path
        while line is None and lines:
            line = lines.get(path)
            if not path:
                break
            path = path[:-1]
        return line

    def problem(self, lines: Lines) -> Problem:
        """The mistake as it is told."""
        hint = self.hint or (self.near() if self.near else None)
        return Problem(place_of(self.path), self.line_in(lines), self.found, self.expected, hint)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text holds: its data, the mistakes of its form, and (on demand) the line of each place, counted from 1."""

    data: object
    faults: list[Fault]
    lines: Callable[[], Lines]


def place_of(path: Path) -> str:
    """A path as people read it: `entries[3].coaching.start`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{shown_name(step)}" if text else shown_name(step)
    return text or DOCUMENT


def survey(data: object) -> list[Fault]:
    """The mistakes of the data as such: identity codes in keys and values, and keys that are not text.
    Raises JournalError when it is too deep or too large to be looked through."""
    faults: list[Fault] = []
    pending: list[tuple[Path, Any]] = [((), data)]
    seen = 0
    while pending:
        path, node = pending.pop()
        if len(path) > MAX_DEPTH:
            raise _too_deep()
        if isinstance(node, str):
            if len(node) <= LONGEST and contains_code(node):
                faults.append(Fault(path, CODE_FOUND, CODE_EXPECTED))
        elif isinstance(node, dict):
            faults += _key_faults(node, path)
            pending += [((*path, str(key)), value) for key, value in node.items() if isinstance(value, _LOOKED_INTO)]
        elif isinstance(node, (list, tuple)):
            pending += [((*path, at), value) for at, value in enumerate(node) if isinstance(value, _LOOKED_INTO)]
        seen += 1
        if seen + len(pending) > MAX_VALUES:
            raise _refusal("too many values", f"at most {MAX_VALUES:,}")
    return faults


_LOOKED_INTO = (str, dict, list, tuple)


def _key_faults(node: dict[Any, Any], path: Path) -> Iterable[Fault]:
    for key in node:
        if not isinstance(key, str):
            hint = "the key is `date`; YAML readers take a bare `on` for true" if key is True else None
            yield Fault((*path, str(key)), "a key that is not text", "a name", hint)
        elif len(key) <= LONGEST and contains_code(key):
            yield Fault((*path, key), CODE_FOUND, CODE_EXPECTED)


def with_text_keys(data: Any) -> Any:
    """The same data without the keys that are not text. Data that `survey` has looked through is shallow enough."""
    if isinstance(data, dict):
        return {key: with_text_keys(value) for key, value in data.items() if isinstance(key, str)}
    return [with_text_keys(value) for value in data] if isinstance(data, (list, tuple)) else data


def positions(data: object) -> dict[Path, int]:
    """The position of every place in the order of the document. Shallow data only."""
    order: dict[Path, int] = {}

    def number(path: Path, node: object) -> None:
        order[path] = len(order)
        if isinstance(node, dict):
            for key, value in node.items():
                number((*path, str(key)), value)
        elif isinstance(node, (list, tuple)):
            for at, value in enumerate(node):
                number((*path, at), value)

    number((), data)
    return order


def shown_name(name: str) -> str:
    """A key as a message can show it: short, printable, and hidden when it may hold an identity code."""
    if len(name) > LONGEST_SHOWN:
        return "(a long name)"
    cut = name if len(name) <= 60 else name[:60] + "…"
    return HIDDEN if masked(name) == HIDDEN else cut if cut.isprintable() and cut else ascii(cut)


def listed(names: Collection[str]) -> str:
    """Names as people list them: `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def did_you_mean(word: object, known: Collection[str], most: int = 1) -> Callable[[], str | None]:
    """A finder of the known names nearest to a word, in whatever way it is capitalised and joined."""

    def near() -> str | None:
        if not isinstance(word, str) or len(word) > LONGEST_SHOWN or len(known) > MAX_KNOWN:
            return None
        names = sorted(known)
        folded = re.sub(r"[\s-]+", "_", word.strip().casefold())
        likeness = 0.7 if most == 1 else 0.6  # 0–1; a list of candidates may be wider
        found = difflib.get_close_matches(folded, names, most, likeness)
        found = found or difflib.get_close_matches(word, names, most, likeness)
        return f"did you mean {listed([shown_name(name) for name in found])}?" if found else None

    return near


def shown(value: object) -> str:
    """A value as a message can show it: short, and never an identity code."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"a text of {len(value):,} characters" if len(value) > LONGEST_SHOWN else f'"{shown_name(value)}"'
    if isinstance(value, int):
        return masked(str(value)) if abs(value) < 10**18 else "a very large number"
    if isinstance(value, (float, datetime.date)):
        return masked(str(value))
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else "a value of another kind"


def read_text(source: str | bytes) -> Reading:
    """The data of a YAML or JSON text. Raises JournalError when it has no one meaning."""
    text = _decoded(source)
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return _read_yaml(text)
    try:
        return read_json(text, "JSON or YAML")
    except JournalError as error:
        refusal = error
    try:
        return _read_yaml(text)  # YAML may begin with a bracket too
    except JournalError:
        pass
    raise refusal


def read_json(source: str | bytes, expected: str = "JSON") -> Reading:
    """The data of a JSON text; nothing else is taken for it. Raises JournalError when it has no one meaning."""
    text = _decoded(source)
    try:
        return _read_json(text)
    except json.JSONDecodeError as error:
        refusal = _refusal(f"no JSON: {error.msg}", expected, line=error.lineno)
    except RecursionError:
        refusal = _too_deep()
    raise refusal


def scalar(text: str) -> str | int | float | bool | None:
    """What an unquoted YAML value stands for: `yes` True, `4` 4, `~` None, `2022-09-05` the same text."""
    if len(text) > 40:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


# Booleans and nulls as YAML 1.1 readers make them. Numbers: no octal, no 1:30, no 1_000; those stay text.
_WORDS: dict[str, bool | None] = {
    **{form: True for word in ("yes", "true", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("no", "false", "off") for form in (word, word.title(), word.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?", re.ASCII)


def _refusal(found: str, expected: str, hint: str | None = None, line: int | None = None) -> JournalError:
    return JournalError([Problem(DOCUMENT, line, found, expected, hint)])


def _too_deep(line: int | None = None) -> JournalError:
    return _refusal("lists or mappings too deep inside each other", f"at most {MAX_DEPTH} levels", line=line)


def _decoded(source: str | bytes) -> str:
    """The source as text that can be written as UTF-8, without a byte order mark, within the size limit."""
    if not isinstance(source, (str, bytes)):
        raise _refusal(type(source).__name__, "text")
    refusal = None
    try:
        size = len(source) if isinstance(source, bytes) else len(source.encode())
        if size > MAX_BYTES:
            refusal = _refusal(f"{size:,} bytes", f"at most {MAX_BYTES:,} bytes")
        elif isinstance(source, bytes):
            source = source.decode()
    except UnicodeError as error:
        # object: bytes on the way in, text on the way out
        before = error.object[: error.start] if isinstance(error, (UnicodeDecodeError, UnicodeEncodeError)) else ""
        line = 1 + (before.count(b"\n") if isinstance(before, bytes) else before.count("\n"))
        refusal = _refusal("characters that are not Unicode text", "text in UTF-8", line=line)
    if refusal:
        raise refusal
    return str(source).removeprefix("\ufeff")


# ---- JSON


def _read_json(text: str) -> Reading:
    twice = False

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = dict(pairs)
        twice = twice or len(made) < len(pairs)
        return made

    data = json.loads(text.strip(" \t\r\n"), object_pairs_hook=mapping, parse_int=_whole)
    faults = _json_places(text)[1] if twice else []
    return Reading(data, faults, lambda: _json_places(text)[0])


def _whole(digits: str) -> int | float:
    """A whole number; one too long for any field becomes a float, which fits none either."""
    return int(digits) if len(digits) <= 18 else float(digits)


_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:\n]|[^\s{}\[\],:"]+')


@dataclass(slots=True)
class _Open:
    """A list or mapping being read: its path, its keys so far (None: a list) and the key or position at hand."""

    path: Path
    keys: set[str] | None
    at: str | int | None
    node: Any = None

    def here(self) -> Path:
        return self.path if self.at is None else (*self.path, self.at)


def _json_places(text: str) -> tuple[Lines, list[Fault]]:
    """The line of every place of a valid JSON text, and its repeated keys."""
    lines: Lines = {}
    faults: list[Fault] = []
    stack = [_Open((), None, None)]
    line = 1
    for match in _JSON_TOKEN.finditer(text):
        token, top = match[0], stack[-1]
        if token == "\n":
            line += 1
        elif token in "}]":
            stack.pop()
        elif token == ",":
            top.at = top.at + 1 if isinstance(top.at, int) else None
        elif token == ":":
            pass
        elif top.keys is not None and top.at is None:
            top.at = str(json.loads(token))
            if top.at in top.keys:
                faults.append(_repeated(top.here(), line))
            top.keys.add(top.at)
            lines.setdefault(top.here(), line)
        else:
            lines.setdefault(top.here(), line)
            if token in "{[":
                stack.append(_Open(top.here(), set() if token == "{" else None, None if token == "{" else 0))
    return lines, faults


def _repeated(path: Path, line: int) -> Fault:
    return Fault(path, "the same key a second time", "each key once", line=line)


# ---- YAML

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Yaml:
    """Builds data from YAML events, one at a time."""

    def __init__(self) -> None:
        self.lines: Lines = {}
        self.faults: list[Fault] = []
        self.stack: list[_Open] = []
        self.documents = 0
        self.data: object = None

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event, line)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event, line)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self.stack.pop()
            self._done()
        elif isinstance(event, yaml.AliasEvent):
            raise _refusal("an alias (*name)", "values written out", line=line)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _refusal("a second document (---)", "one case in a file", line=line)

    def _check(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise _refusal("an anchor (&name)", "values written out", line=line)
        if event.tag is not None:
            raise _refusal("a tag (!name)", "plain values without tags", line=line)

    def _take_scalar(self, event: Any, line: int) -> None:
        self._check(event, line)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.keys is not None and top.at is None:
            top.at = str(event.value)
            if top.at in top.keys:
                self.faults.append(_repeated(top.here(), line))
            top.keys.add(top.at)
            self.lines.setdefault(top.here(), line)
            return
        self._put(scalar(event.value) if event.implicit[0] else event.value, line)
        self._done()

    def _open(self, event: Any, line: int) -> None:
        self._check(event, line)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.keys is not None and top.at is None:
            raise _refusal("a list or mapping as a key", "a name before the colon", line=line)
        if len(self.stack) >= MAX_DEPTH:
            raise _too_deep(line)
        node: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._put(node, line)
        path = top.here() if top else ()
        self.stack.append(_Open(path, set(), None, node) if isinstance(node, dict) else _Open(path, None, 0, node))

    def _put(self, value: Any, line: int) -> None:
        if not self.stack:
            self.data = value
            self.lines[()] = line
            return
        top = self.stack[-1]
        if top.keys is None:
            top.node.append(value)
            self.lines[top.here()] = line
        else:
            top.node[top.at] = value

    def _done(self) -> None:
        """The value at hand is complete: on to the next key or position."""
        if self.stack:
            top = self.stack[-1]
            top.at = top.at + 1 if isinstance(top.at, int) else None


def _read_yaml(text: str) -> Reading:
    built = _Yaml()
    refusal = None
    try:
        for event in yaml.parse(text, Loader=_Loader):
            built.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
        refusal = _refusal(
            f"no YAML: {shown_name(str(said))}", "YAML or JSON", _yaml_hint(text, mark), mark.line + 1 if mark else None
        )
    if refusal:
        raise refusal
    return Reading(built.data, built.faults + list(_codes_in_comments(text)), lambda: built.lines)


def _yaml_hint(text: str, mark: Any) -> str | None:
    lines = text.split("\n")
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    return "indent with spaces, not with tabs" if "\t" in line[: len(line) - len(line.lstrip())] else None


def _codes_in_comments(text: str) -> Iterable[Fault]:
    """Comments are no data, but a file with a code in one is kept and sent all the same."""
    if "#" not in text:
        return
    for number, line in enumerate(text.split("\n"), start=1):
        _, hash_sign, rest = line.partition("#")
        if hash_sign and contains_code(rest):
            yield Fault((), CODE_FOUND, CODE_EXPECTED, line=number)
