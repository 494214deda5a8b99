"""Writes the problem types into docs/api.md, from the API's own catalogue: `python scripts/problem_types.py`."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from service.api.problems import problem_types  # noqa: E402

PAGE = ROOT / "docs" / "api.md"
BEGIN, END = "<!-- problem types: written by scripts/problem_types.py -->", "<!-- end of problem types -->"
WIDTH = 118


def section() -> str:
    """What the page says of every problem type."""
    parts = []
    for kind in problem_types().values():
        meaning = textwrap.fill(f"**{kind.title}.** {kind.meaning}", WIDTH)
        remedy = textwrap.fill(f"What to do: {kind.remedy}", WIDTH)
        parts.append(f"#### `{kind.slug}` ({kind.status})\n\n{meaning}\n\n{remedy}\n")
    return "\n".join(parts)


def page(text: str) -> str:
    """The page with the section as it should be. Raises ValueError when it has no place for it."""
    made, count = re.subn(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", f"{BEGIN}\n\n{section()}\n{END}", text)
    if count != 1:
        raise ValueError(f"{PAGE.name}: expected {BEGIN} and {END} once")
    return made


def main() -> None:
    """Write the page."""
    if sys.argv[1:]:
        print("usage: python scripts/problem_types.py", file=sys.stderr)
        raise SystemExit(2)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
