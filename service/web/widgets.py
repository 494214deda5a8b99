"""Fields as a template draws them: in words, with what was typed, and with what is wrong at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.texts import catalogue as core_texts
from service.web.fields import YES_NO, Field
from service.web.forms import YES, Form, Mistake, Part
from service.web.typed import Typed
from service.words import Words, pages_catalogue, sentence

#: Up to so many values of a field that must be given stand side by side; more are a list to choose from.
_SIDE_BY_SIDE = 5
#: Characters of a choice that may stand beside others.
_SHORT = 18
#: Lines shown for a list of names at least, beyond those filled in, and beyond those when more are asked for.
_LINES, _FREE_LINES, _MORE_LINES = 3, 1, 5
#: Which of the names known already are suggested for a field.
SUGGESTED = {
    "worker": "workers",
    "organisation": "organisations",
    "provider": "organisations",
    "parties": "organisations",
    "employer": "employers",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that may be chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Widget:
    """A field in words. `look` is how it is drawn; `texts` what stands in it; `groups` what is inside, with a heading
    each (empty: none)."""

    look: str
    name: str
    id: str
    label: str
    hint: str
    required: bool
    texts: tuple[str, ...]
    mistakes: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    suggested: str = ""
    longest: int | None = None
    groups: tuple[tuple[str, tuple[Widget, ...]], ...] = ()

    @property
    def down(self) -> bool:
        """Whether its choices stand one below the other: many, or longer than a word or two."""
        return len(self.choices) > _SIDE_BY_SIDE or any(len(choice.label) > _SHORT for choice in self.choices)

    @property
    def text(self) -> str:
        """What stands in it, where there is one text."""
        return self.texts[0] if self.texts else ""

    @property
    def described_by(self) -> str:
        """The ids of what describes it."""
        told = [f"{self.id}-hint"] if self.hint else []
        return " ".join([*told, *([f"{self.id}-mistake"] if self.mistakes else [])])


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a form in words."""

    id: str
    title: str
    optional: bool
    with_name: str
    chosen: bool
    condition: str
    #: The value on which it depends whether the part is asked, for the style sheet.
    only_if: str
    widgets: tuple[Widget, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A mistake in words: the field's name (None: of the whole), its id, what it is called, what is wrong."""

    name: str | None
    id: str
    label: str
    text: str


def id_of(name: str) -> str:
    """The id of a field on the page."""
    return name.replace(".", "-")


class Drawing:
    """A form in the words of one language, with what was typed and what was wrong with it."""

    def __init__(
        self,
        form: Form,
        typed: Typed,
        words: Words,
        mistakes: Sequence[Mistake] = (),
        *,
        more_lines: bool = False,
    ) -> None:
        self._form = form
        self._typed = typed
        self._words = words
        self._mistakes = mistakes
        self._free_lines = _MORE_LINES if more_lines else _FREE_LINES

    @property
    def mistakes(self) -> list[Told]:
        """Every mistake, in the order of the form."""
        return [self._told(mistake) for mistake in self._mistakes]

    def _told(self, mistake: Mistake) -> Told:
        text = self._words("record_mistakes", mistake.key, **mistake.values)
        if mistake.name is None:
            return Told(None, "", "", text)
        return Told(mistake.name, id_of(mistake.name), self._called(mistake.name), text)

    def _called(self, name: str) -> str:
        for part in self._form.parts:
            for outer in (*part.shared, *part.asked):
                for one in outer.all():
                    if part.name(one) == name:
                        return self._call(part.type, outer, one)
        return ""

    def _call(self, type_: str, outer: Field, one: Field) -> str:
        """What a field is called where it stands alone, with the sign before what is said of it."""
        label = self._label(type_, one)
        if outer.kind == "part" and one is not outer:
            label = f"{self._label(type_, outer)}, {label[:1].lower()}{label[1:]}"
        return label if label.endswith("?") else f"{label}:"

    @property
    def shared(self) -> tuple[Widget, ...]:
        """What is asked once for all parts."""
        main = self._form.main
        return tuple(self._widget(main, one) for one in self._form.shared)

    @property
    def sections(self) -> list[Section]:
        """The parts in the order in which they are asked."""
        return [self._section(part) for part in self._form.shown]

    def _section(self, part: Part) -> Section:
        asked = tuple(self._widget(part, one) for one in part.asked)
        own = part.title
        title = self._words("entry_types", part.type) if own is None else self._words.of(own)
        chosen = self._typed.one(part.with_name) == YES
        condition, only_if = "", ""
        if part.only_if is not None:
            name, only_if = part.only_if
            value = self._words("values", name, only_if)
            condition = self._words("record", "only_if", field=self._label(part.type, _bare(name)), value=value)
        return Section(
            f"part-{part.key}",
            title,
            part.optional,
            part.with_name,
            chosen,
            condition,
            only_if.replace("_", "-"),
            asked,
        )

    # --- one field ---

    def _widget(self, part: Part, one: Field) -> Widget:
        name = part.name(one)
        texts = tuple(self._typed.all(name))
        wrong = [mistake for mistake in self._mistakes if mistake.name == name]
        return Widget(
            look=self._look(one),
            name=name,
            id=id_of(name),
            label=self._label(part.type, one),
            hint=self._hint(part.type, one),
            required=one.required,
            texts=self._lines(texts) if one.kind == "names" else texts,
            mistakes=tuple(self._words("record_mistakes", mistake.key, **mistake.values) for mistake in wrong),
            choices=tuple(Choice(value, self._value(one, value), value in texts) for value in one.values),
            suggested=SUGGESTED.get(one.name, ""),
            longest=one.longest,
            groups=self._groups(part, one),
        )

    def _lines(self, filled: Sequence[str]) -> tuple[str, ...]:
        """The lines of a list of names: those filled in, and free ones."""
        return (*filled, *[""] * max(self._free_lines, _LINES - len(filled)))

    @staticmethod
    def _look(one: Field) -> str:
        if one.kind != "choice":
            return one.kind
        few = one.required and len(one.values) <= _SIDE_BY_SIDE
        return "radios" if few or one.values == YES_NO or one.path[0] == "answers" else "select"

    def _groups(self, part: Part, one: Field) -> tuple[tuple[str, tuple[Widget, ...]], ...]:
        if one.kind == "part":
            # What must be given of something that may be left out is told when it is missing.
            inside = (replace(inner, required=inner.required and one.required) for inner in one.fields)
            return (("", tuple(self._widget(part, inner) for inner in inside)),)
        if one.kind != "items":
            return ()
        items = {inner.name: inner for inner in one.fields}
        return tuple(
            (group["title"][self._words.lang], tuple(self._widget(part, items[item]) for item in group["items"]))
            for group in core_texts()["readiness"]["groups"].values()
        )

    def _label(self, type_: str, one: Field) -> str:
        labels = pages_catalogue()["record_labels"]
        for key in (f"{type_}.{'.'.join(one.path)}", one.name):
            if key in labels:
                return self._words("record_labels", key)
        if len(one.path) > 1 and one.path[0] == "answers":
            return self._item(one.name)
        return sentence(self._words("fields", one.name))

    def _item(self, item: str) -> str:
        groups = core_texts()["readiness"]["groups"].values()
        return next(str(group["items"][item][self._words.lang]) for group in groups if item in group["items"])

    def _hint(self, type_: str, one: Field) -> str:
        hints = pages_catalogue()["record_hints"]
        for key in (f"{type_}.{'.'.join(one.path)}", one.name):
            if key in hints:
                return self._words("record_hints", key)
        if one.kind in ("whole", "decimal"):
            return self._words("record_hints", "number", low=one.low, high=one.high)
        return ""

    def _value(self, one: Field, value: str) -> str:
        return sentence(value_in_words(self._words, one, value))


def _bare(name: str) -> Field:
    return Field((name,), "choice", False)


def value_in_words(words: Words, one: Field, value: str) -> str:
    """A value of a field, as the catalogue has it."""
    if one.name in ("role", "participants", "by"):
        return words("roles", value)
    if one.values == YES_NO:
        return words("values", "yes_no", value)
    if one.path[0] == "answers":
        return words("values", "answers", value)
    if one.name == "language":
        return words("language_names", value)
    return words("values", one.name, value)
