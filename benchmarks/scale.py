"""docs/scale/: the figures of the last full run of benchmarks/check.py, plotted, and told in docs/scale.md.

    python -m benchmarks.scale          writes the plots and the page's numbers from docs/scale/figures.json

The page's numbers stand between marks; what stands around them is written by hand. A test holds the page to the
figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.plot import Line, chart

DOCS = Path(__file__).parents[1] / "docs"
PAGE, FOLDER = DOCS / "scale.md", DOCS / "scale"
FIGURES = FOLDER / "figures.json"
#: The cores a run uses; a loop in one process is told as if it had been as fast again on each of them.
CORES = 2
#: Clients, machines of two cores each, and of how many clients something was recorded since the night before.
COUNTRY, CONTINENT = 500_000, 50_000_000
FLEETS = ((COUNTRY, 1), (COUNTRY, 4), (CONTINENT, 1), (CONTINENT, 10), (CONTINENT, 100))
CHANGED = 0.05
MEMORY_LIMIT = 2048.0
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.S)

Found = Mapping[str, Any]


def times_slower(found: Found, engine: str) -> float:
    """How many times as long a loop takes for a case as the columnar engine does, on as many cores."""
    each = found[engine]["seconds"] / found[engine]["clients"] / CORES
    return float(each / (found["polku"]["seconds"] / found["cases"]))


def write(found: Found) -> None:
    """Keep the figures of a full run, plot them, and tell them on the page."""
    FOLDER.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(_rounded(found), indent=2) + "\n", encoding="utf-8")
    kept = json.loads(FIGURES.read_text(encoding="utf-8"))
    for name, plot in plots(kept).items():
        (FOLDER / name).write_text(plot, encoding="utf-8")
    PAGE.write_text(told(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def told(page: str, found: Found) -> str:
    """The page with the figures between its marks. Raises KeyError for a mark that nothing is known of."""
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]](found)}\n{block[3]}", page)


def plots(found: Found) -> dict[str, str]:
    """The plots, by file name."""
    growth = found["growth"]
    time = [Line("Polku, from kept facts", [(item["cases"], item["seconds"]) for item in growth])]
    memory = [Line("Polku, from kept facts", [(item["cases"], item["mib"] or 0) for item in growth])]
    journals = [found["journals_tenth"], found["journals"]]
    folded = [Line("Polku, from journals", [(item["cases"], item["seconds"]) for item in journals])]
    memory.append(Line("Polku, from journals", [(item["cases"], item["mib"] or 0) for item in journals]))
    return {
        "time.svg": chart("Every rule judged, from kept facts: time", "cases", "seconds", time),
        "journals.svg": chart("Journals of 30 entries folded and judged: time", "cases", "seconds", folded),
        "memory.svg": chart("Memory of all processes", "cases", "MiB", memory, ("the aim: 2 GiB", MEMORY_LIMIT)),
    }


# ---- what stands between the marks


def _run(found: Found) -> str:
    rows = [("", "cases", "seconds", "memory, all processes", "findings written")]
    names = {
        "journals": f"journals of {found['entries_each']} entries, from Parquet to findings",
        "first_kept": "the same, facts kept for the next run",
        "unchanged": "the next run, nothing recorded since",
    }
    for key, name in names.items():
        item = found[key]
        rows.append((name, _n(item["cases"]), _s(item["seconds"]), _mib(item["mib"]), _n(item["findings"])))
    polku = found["polku"]
    rows.append(
        (
            "kept facts alone, every rule judged, open findings written",
            _n(found["cases"]),
            _s(polku["seconds"]),
            _mib(polku["mib"]),
            _n(found["findings"]),
        )
    )
    judged = f"{_n(found['judged'])} outcomes of rules were judged, {_n(found['judged'] / found['cases'], 1)} a case"
    return (
        f"{judged} (rules that do not apply are not counted). {_n(found['findings'])} of them are open, violated,"
        f" advised or unknown, and were written. Python {found['python']} ran it.\n\n{_table(rows)}"
    )


def _rivals(found: Found) -> str:
    polku, cases = found["polku"]["seconds"], found["cases"]
    rows = [("", "cases", "seconds", "a case, on two cores", "against Polku", "memory")]
    one = [
        ("only reading those columns (DuckDB)", "scan"),
        ("the same checks written by hand in SQL (DuckDB)", "by_hand"),
        ("the same conditions as Polars expressions", "polars"),
        ("**Polku**", "polku"),
    ]
    for name, key in one:
        item = found[key]
        each = _micro(item["seconds"] / cases)
        rows.append((name, _n(cases), _s(item["seconds"]), each, _times(item["seconds"] / polku), _mib(item["mib"])))
    for name, key in (
        ("durable-rules, client by client", "durable"),
        ("zen-engine (GoRules), client by client", "gorules"),
    ):
        item = found[key]
        each = _micro(item["seconds"] / item["clients"] / CORES)
        rows.append((name, _n(item["clients"]), _s(item["seconds"]), each, _times(times_slower(found, key)), "–"))
    return _table(rows)


def _growth(found: Found) -> str:
    rows = [("cases", "seconds", "a case", "memory")]
    for item in found["growth"]:
        each = _micro(item["seconds"] / item["cases"])
        rows.append((_n(item["cases"]), _s(item["seconds"]), each, _mib(item["mib"])))
    return _table(rows)


def _disk(found: Found) -> str:
    cases, polku, journals = found["cases"], found["polku"]["seconds"], found["journals"]["seconds"]
    facts_rate = found["facts_bytes"] / 1e6 / polku
    journal_rate = found["journals_bytes"] / 1e6 / journals
    disk = found["disk_mb_per_second"]
    sizes = {name: _n(found[f"{name}_bytes"] / cases) for name in ("facts", "journals", "findings")}
    return "\n".join(
        [
            f"- The facts of a case take {sizes['facts']} bytes on the disk, a journal of {found['entries_each']}"
            f" entries {sizes['journals']}, the findings of a case {sizes['findings']}.",
            f"- Only reading the columns of facts takes {_n(100 * found['scan']['seconds'] / polku)} % of the time of"
            " the check; the rest is the rules, and writing what they found.",
            f"- The check takes in facts at {_n(facts_rate, 1)} MB a second and journals at {_n(journal_rate, 1)} MB a"
            f" second. The disk of the machine measured gave {_n(disk)} MB a second, once the system had let go of the"
            " files.",
            f"- So the disk holds a check of facts up only when it is slower than {_n(facts_rate, 1)} MB a second."
            f" On this one the rules would have to be {_n(disk / facts_rate)} times as fast before it did; for"
            f" journals, the fold and the rules {_n(disk / journal_rate)} times.",
        ]
    )


def _fleet(found: Found) -> str:
    rows = [
        ("clients", "machines", "journals on disk", "facts on disk", "every journal folded", "a night", "rules alone")
    ]
    folded, facts = found["first_kept"]["seconds"] / found["cases"], found["polku"]["seconds"] / found["cases"]
    unchanged = found["unchanged"]["seconds"] / found["cases"]
    night = unchanged + CHANGED * folded
    for clients, machines in FLEETS:
        share = clients / machines
        rows.append(
            (
                _n(clients),
                _n(machines),
                _bytes(clients * found["journals_bytes"] / found["cases"]),
                _bytes(clients * found["facts_bytes"] / found["cases"]),
                _time(share * folded),
                _time(share * night),
                _time(share * facts),
            )
        )
    hours = _n(CONTINENT * night / 3600, 1)
    return (
        f"{_table(rows)}\n\n*A night*: {_n(100 * CHANGED)} % of the journals have something new and are folded again."
        f" For {_n(CONTINENT)} clients that is {hours} hours of a machine of two cores a night, however many share it."
    )


BLOCKS: dict[str, Callable[[Found], str]] = {
    "run": _run,
    "rivals": _rivals,
    "growth": _growth,
    "disk": _disk,
    "fleet": _fleet,
}


# ---- words for numbers


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" if place == 0 else "---:" for place in range(len(head))), *body]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def _n(value: float, places: int = 0) -> str:
    return f"{value:,.{places}f}"


def _s(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def _micro(seconds: float) -> str:
    micro = seconds * 1e6
    return f"{micro:,.0f} µs" if micro >= 20 else f"{micro:.1f} µs"


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} MiB"


def _times(value: float) -> str:
    return f"{value:,.0f} ×" if value >= 20 else f"{value:.2f} ×"


def _bytes(value: float) -> str:
    return f"{value / 1e9:,.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    write(json.loads(FIGURES.read_text(encoding="utf-8")))
