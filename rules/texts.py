"""User texts of the core in fi, sv and en, from one catalogue (`texts.yaml`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_CATALOGUE = Path(__file__).parent / "texts.yaml"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Any]:
    """The whole catalogue: section -> key (-> key) -> language -> text."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(_CATALOGUE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return content


def texts(section: str, key: str, lang: str) -> str:
    """One text. Raises KeyError when the catalogue has none such (a test holds that it has all)."""
    return str(catalogue()[section][key][lang])
