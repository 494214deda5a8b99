"""What was typed into a form: names and texts as a browser sends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from service.api.problems import ApiProblem

#: What our forms are sent as.
FORM = "application/x-www-form-urlencoded"
#: More than the largest form has.
MOST_FIELDS = 500


class Typed:
    """The texts of a form by the names of its fields. A name may stand several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._texts: dict[str, list[str]] = {}
        for name, text in pairs:
            self._texts.setdefault(name, []).append(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def one(self, name: str) -> str:
        """The text of a field; empty when there is none."""
        return self._texts.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """The texts of a field that may have several, without empty ones."""
        return [text for text in self._texts.get(name, ()) if text.strip()]

    def pairs(self) -> list[tuple[str, str]]:
        """Everything as it was sent."""
        return [(name, text) for name, texts in self._texts.items() for text in texts]

    def times(self, name: str) -> int:
        """How often a name stands there."""
        return len(self._texts.get(name, ()))

    def but(self, changed: Mapping[str, Iterable[str]]) -> Typed:
        """The same with these texts in place of what stood under their names."""
        made = Typed()
        made._texts = {**self._texts, **{name: list(texts) for name, texts in changed.items()}}
        return made


async def typed_in(request: Request) -> Typed:
    """The form that was sent. Raises ApiProblem when it is none of ours."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise ApiProblem("unsupported-media-type")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ApiProblem("invalid-request") from None
    # Browsers send every line break as two characters; a journal has one.
    return Typed((name, text.replace("\r\n", "\n").replace("\r", "\n")) for name, text in pairs)


Submitted = Annotated[Typed, Depends(typed_in)]
