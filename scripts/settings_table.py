"""Writes the table of settings in docs/operators.md from service/settings.py; tests/docs holds the page to it."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from service.settings import variables

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operators.md"
BEGIN, END = "<!-- settings: made by scripts/settings_table.py -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """The table in Markdown."""
    lines = ["| variable | holds | when left out |", "|---|---|---|"]
    for name, field in variables().items():
        lines.append(f"| `{name}` | {(field.description or '').replace('|', '/')} | {_default(field)} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """The page with the table as it should be. Raises ValueError when it has no place for it."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value in (None, {}, "") else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
