"""A client's summary as a PDF: tagged (PDF/UA-1), A4, made in this process from embedded fonts alone.

What users wrote reaches the template as data, so nothing of it is ever read as markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

_TEMPLATE = Path(__file__).parent / "templates" / "summary" / "summary.typ"
#: The rules of accessible PDF that a summary keeps.
STANDARD: Final = "ua-1"


def summary_pdf(told: Mapping[str, Any], labels: Mapping[str, str], now: datetime) -> bytes:
    """The summary as a PDF. `told` are its parts, `labels` its headings, in one language; `now` is when it is made.

    A name in a script the fonts do not have is left to be written by hand: a box in its place would name nobody.
    """
    try:
        return _compiled({**told, "labels": labels}, now)
    except typst.TypstError:
        if told["name"] is None:
            raise
    return _compiled({**told, "name": None, "labels": labels}, now)


def _compiled(data: Mapping[str, Any], now: datetime) -> bytes:
    return typst.compile(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        ignore_system_fonts=True,
        pdf_standards=STANDARD,
        timestamp=int(now.timestamp()),
    )
