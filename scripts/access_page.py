"""Writes docs/access.md from the two tables of access and the rule pack.

python scripts/access_page.py            write it
python scripts/access_page.py --check    exit with 1 when the page is missing or out of date
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from rules.pack import Pack, load_pack  # noqa: E402
from rules.provenance import HEADER  # noqa: E402
from service.access.policy import sees  # noqa: E402
from service.access.principal import ROLES  # noqa: E402
from service.access.reach import withheld_charts, withheld_rules  # noqa: E402
from service.access.relations import RELATIONS  # noqa: E402
from service.access.tables import HAPPENED, Grants, Seen, recording_table, seeing_table  # noqa: E402

PAGE = ROOT / "docs" / "access.md"
LETTERS = {"assigned": "A", "team": "T", "provider": "P", "emergency": "E", "none": "N"}

MADE = "<!-- Made by scripts/access_page.py from service/access/*.yaml. Change the tables, not this page. -->\n"
#: What stands above the tables.
INTRODUCTION = Path(__file__).with_name("access_page.md")


def page(pack: Pack) -> str:
    """The page as text."""
    introduction = INTRODUCTION.read_text(encoding="utf-8")
    parts = [MADE, introduction, *_recording(), *_acts(), *_seeing(), *_fields(), *_withheld(pack)]
    return "\n".join(parts).rstrip() + "\n"


def _letters(relations: Iterable[str]) -> str:
    return " ".join(LETTERS[relation] for relation in RELATIONS if relation in set(relations))


def _grid(head: str, rows: Iterable[tuple[str, Grants]], roles: list[str]) -> Iterator[str]:
    yield f"| {head} | {' | '.join(f'`{role}`' for role in roles)} |"
    yield f"|---{'|---' * len(roles)}|"
    for name, grants in rows:
        yield f"| {name} | {' | '.join(_letters(grants.get(role, ())) for role in roles)} |"
    yield ""


def _named(grants: Iterable[Mapping[str, tuple[str, ...]]]) -> list[str]:
    """The roles that appear in some row, in their order."""
    there = {role for grant in grants for role, relations in grant.items() if relations}
    return [role for role in ROLES if role in there]


def _absent(roles: Iterable[str]) -> str:
    names = [f"`{role}`" for role in ROLES if role not in roles]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _recording() -> Iterator[str]:
    table = recording_table()
    roles = _named(table.types.values())
    yield "## Who may record what\n"
    yield f"By entry type, role and relation. {_absent(roles).capitalize()} record nothing.\n"
    for group in table.groups:
        yield f"### {group.title}\n\n{group.why}\n"
        yield from _grid("entry", ((f"`{name}`", grants) for name, grants in group.types.items()), roles)
    back = ", ".join(f"`{one}` (needs `{other}`)" for one, other in table.brings_back.items())
    yield "A `correction` needs the right to record what it voids; voiding one of these brings back what it ended, and"
    yield f"needs the right to record that: {back}. Entries may say that someone else did it (`by`); who recorded is"
    yield "known from the login.\n"


def _acts() -> Iterator[str]:
    acts = recording_table().acts
    roles = _named(act.by for act in acts.values())
    yield "## What else may be done with a case\n"
    yield from _grid("act", ((act.title, act.by) for act in acts.values()), roles)
    yield from (f"- {act.title}: {act.why}" for act in acts.values())
    yield ""


def _seeing() -> Iterator[str]:
    table = seeing_table()
    roles = _named(one.seen_by for one in (*table.classes, *table.views))
    yield "## Who may see what: fields\n"
    yield "Every field of every entry stands in exactly one class (below). What a user recorded themselves they see"
    yield f"again whole, while the relation lasts. {_absent(roles).capitalize()} see nothing.\n"
    yield from _grid("class", ((one.title, one.seen_by) for one in table.classes), roles)
    yield "## Who may see what: parts of a case\n"
    yield "Within an open part only the fields one sees are shown.\n"
    yield from _grid("part", ((one.title, one.seen_by) for one in table.views), roles)
    yield from (f"- {_reason(one)}" for one in table.views)
    yield ""


def _reason(one: Seen) -> str:
    return f"**{one.title}** (`{one.name}`): {one.why} ({'; '.join(one.source)})"


def _fields() -> Iterator[str]:
    yield "## The classes\n"
    yield "*Recorded* is that the entry is there: its day, its id, who did it, when it was recorded.\n"
    for one in seeing_table().classes:
        yield f"### {one.title}\n\n{_reason(one).partition(': ')[2]}\n"
        by_type: dict[str, list[str]] = {}
        for type_, name in one.fields:
            by_type.setdefault(type_, []).append("*recorded*" if name == HAPPENED else f"`{name}`")
        everywhere = {"`note`"}
        bare = [type_ for type_, names in by_type.items() if set(names) == everywhere]
        if bare:
            yield "- every entry: `note`"
        for type_, names in by_type.items():
            shown = [name for name in names if not bare or name not in everywhere]
            if shown:
                yield f"- {'the header' if type_ == HEADER else f'`{type_}`'}: {', '.join(shown)}"
        yield ""


def _withheld(pack: Pack) -> Iterator[str]:
    yield "## What is withheld from whom\n"
    yield f"By the rules of `{pack.id}` {pack.version}: the findings that rest on something this user may not see, with"
    yield "every explanation, step, date ahead and export of them.\n"
    yield "| role, relation | withheld rules | of the stage and charts |\n|---|---|---|"
    for role in ROLES:
        for relation in RELATIONS:
            sight = sees(role, relation)
            if sight.opens("assessment"):
                rules = withheld_rules(pack, sight)
                ordered = dict.fromkeys(rule.id for rule in pack.editions[-1].rules if rule.id in rules)
                charts = ", ".join(withheld_charts(sight)) or "nothing"
                yield f"| `{role}`, {relation} | {', '.join(f'`{rule}`' for rule in ordered) or 'none'} | {charts} |"
    yield ""


def main(arguments: list[str]) -> int:
    """Write or check the page; 0 when all is well, 1 when it is stale, 2 for a usage error."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    text = page(load_pack())
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
    print("docs/access.md is up to date" if fresh else "docs/access.md is stale; run: python scripts/access_page.py")
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
