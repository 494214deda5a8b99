"""`polku rules`: browse the rules, look them over, run their examples, compare two packs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.arguments import AsJson, AsOf, Language, today
from service.terminal import DONE, FINDINGS, fail, nearest, show, write, write_json
from service.words import Words, clean

if TYPE_CHECKING:
    from rules.cases import WorkedCase
    from rules.pack import Pack
    from service.audit.otherwise import Compared, DecidedOtherwise
    from service.page import Page
    from service.rules_diff import Difference, Otherwise

rules = typer.Typer(name="rules", help="The rules: browse, check, run their examples, compare two packs.")

Folder = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="A pack's folder; default: the pack that comes with Polku.")
]


def _folder(folder: Path | None) -> Path:
    from rules.pack import DEFAULT_PACK

    chosen = folder or DEFAULT_PACK
    if not chosen.is_dir():
        raise typer.BadParameter(f"{clean(chosen)}: there is no such folder", param_hint="FOLDER")
    return chosen


def _known(pack: Pack, rule_id: str, hint: str) -> str:
    ids = list(dict.fromkeys(rule.id for rule in pack.editions[-1].rules))
    if rule_id not in ids:
        raise typer.BadParameter(nearest("rule", rule_id, ids), param_hint=hint)
    return rule_id


def _all_cases(pack: Pack, folder: Path) -> list[WorkedCase]:
    from rules.cases import read_cases, themes

    return [case for theme in themes(folder) for case in read_cases(folder, theme, pack)]


@rules.command("list")
def list_rules(as_of: AsOf = None, lang: Language = "fi", as_json: AsJson = False) -> None:
    """The rules in force on a date."""
    from rules.pack import load_pack
    from service.rule_parts import rule_json

    pack, day, words = load_pack(), as_of or today(), Words(lang)
    found = pack.rules(day)
    if as_json:
        write_json([rule_json(pack, rule, day, words) for rule in found])
        return
    from service.rule_page import list_page

    show(list_page(pack, found, day, words))


@rules.command("show")
def show_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule's id.")],
    as_of: AsOf = None,
    lang: Language = "fi",
    as_json: AsJson = False,
) -> None:
    """One rule: what it says, when it applies, its numbers and sources."""
    from rules.pack import DEFAULT_PACK, load_pack
    from service.rule_parts import rule_json, versions_on

    pack, day, words = load_pack(), as_of or today(), Words(lang)
    chosen, others = versions_on(pack, _known(pack, rule, "RULE"), day)
    count = sum(rule in case.rules for case in _all_cases(pack, DEFAULT_PACK))
    if as_json:
        write_json(rule_json(pack, chosen, day, words, cases=count))
        return
    from service.rule_page import RulePage

    show(RulePage(pack, chosen, others, day, words, cases=count).parts())


@rules.command("lint")
def lint_pack(folder: Folder = None) -> None:
    """Look a rule pack over: names, versions, sources, cases, conditions. Errors give exit code 1."""
    from service.rules_lint import lint

    chosen = _folder(folder)
    remarks = lint(chosen)
    for remark in remarks:
        write(clean(remark) + "\n")
    errors = sum(remark.error for remark in remarks)
    write(f"{clean(chosen.name)}: {errors} error(s), {len(remarks) - errors} note(s)\n")
    raise typer.Exit(FINDINGS if errors else DONE)


@rules.command("test")
def run_cases(
    folder: Folder = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Only the cases of this rule.")] = None,
    lang: Language = "fi",
) -> None:
    """Run the worked cases of a rule pack. A case that comes out otherwise gives exit code 1."""
    from rules.assessment import Assessor
    from rules.cases import run_case
    from rules.pack import load_pack

    chosen, words = _folder(folder), Words(lang)
    pack = load_pack(chosen)
    cases = _all_cases(pack, chosen)
    ids = list(dict.fromkeys(item.id for item in pack.editions[-1].rules))
    if rule is not None:
        ids = [_known(pack, rule, "--rule")]
        cases = [case for case in cases if rule in case.rules]
    assessor = Assessor(pack)
    failures = [failure for case in cases for failure in run_case(case, assessor)]
    for failure in failures:
        write("\n".join(map(_kept_indent, failure.text(lang).split("\n"))) + "\n\n")
    shown = {name for case in cases for name in case.rules}
    without = [name for name in ids if name not in shown]
    for name in without:
        write(words("tests_run", "no_cases", rule=name) + "\n")
    counts = {"cases": len(cases), "checks": sum(len(check) for case in cases for check in case.checks)}
    key = "failed" if failures else "passed"
    write(words("tests_run", key, **counts, failures=len(failures)) + "\n")
    raise typer.Exit(FINDINGS if failures or without else DONE)


def _kept_indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip(" "))) + clean(line)


# --- diff ---


@rules.command("diff")
def diff_packs(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of a pack.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of another version of it.")],
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", help="A case, or a folder of cases, to compare on.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database", metavar="URL", help="A database: which recorded decisions would come out otherwise."
        ),
    ] = None,
    as_of: AsOf = None,
    lang: Language = "fi",
    as_json: AsJson = False,
) -> None:
    """What differs between two rule packs; with cases, which findings would come out otherwise."""
    from rules.pack import load_pack
    from service.rules_diff import differences

    packs = load_pack(_folder(old)), load_pack(_folder(new))
    words = Words(lang)
    if database is not None:
        if source is not None or as_of is not None:
            raise typer.BadParameter(
                "decisions are judged on their own days, apart from SOURCE", param_hint="--database"
            )
        _diff_on_decisions(packs, database, words, as_json)
        return
    if source is not None:
        raise typer.Exit(_diff_on_cases(packs, source, as_of, words, as_json))
    found = differences(*packs)
    if as_json:
        write_json({**_heads(packs), "differences": [item.as_json() for item in found]})
    else:
        show(_differences_page(found, packs[1], words))


def _diff_on_cases(packs: tuple[Pack, Pack], source: Path, as_of: AsOf, words: Words, as_json: bool) -> int:
    from rules.assessment import Assessor
    from service.rules_diff import cases_in, otherwise

    read, day = cases_in(source), as_of or today()
    found = list(otherwise(Assessor(packs[0]), Assessor(packs[1]), read.cases, day))
    if as_json:
        changed = [item.as_json() for item in found]
        write_json({**_heads(packs), "as_of": day.isoformat(), "cases": len(read.cases), "findings": changed})
    else:
        show(_otherwise_page(found, len(read.cases), packs, words))
    for name in read.skipped:
        typer.echo(f"polku: {clean(name)}: holds no case, skipped", err=True)
    if not read.cases and not read.faults:
        fail(f"{source}: there is no case")
    if read.faults:
        fail("\n".join(read.faults))
    return DONE


def _diff_on_decisions(packs: tuple[Pack, Pack], url: str, words: Words, as_json: bool) -> None:
    from rules.assessment import Assessor
    from rules.engines.reference import reference
    from service.audit.otherwise import Compared, decided_otherwise
    from service.replay_commands import opened

    counts = Compared()
    with opened(url) as database:
        old, new = (Assessor(pack, reference) for pack in packs)
        found = list(decided_otherwise(database, old, new, counts))
    if as_json:
        changed = [item.as_json() for item in found]
        numbers = {"decisions": counts.decisions, "taken_under_old": counts.taken_under_old}
        write_json({**_heads(packs), **numbers, "unreadable": counts.unreadable, "findings": changed})
    else:
        show(_decisions_page(found, counts, packs, words))


def _heads(packs: tuple[Pack, Pack]) -> dict[str, object]:
    old, new = ({"id": pack.id, "version": pack.version, "sha256": pack.sha256} for pack in packs)
    return {"old": old, "new": new}


def _differences_page(found: list[Difference], new: Pack, words: Words) -> Page:
    from service.page import QUIET, STRONG, paragraph
    from service.rules_diff import shown

    titles = {rule.id: words.of(rule.title) for rule in new.editions[-1].rules}
    if not found:
        yield paragraph(words("diff", "same"))
    head = None
    for item in found:
        if (item.what, item.name) != head:
            head = item.what, item.name
            kind = "changed" if item.key is not None else "added" if item.before is None else "removed"
            what = words("diff", kind if item.what == "rule" else item.what)
            title = f"{titles[item.name]} " if item.what == "rule" and item.name in titles else ""
            yield paragraph((f"{what}: {title}", STRONG), (item.name, QUIET))
        if item.key is not None or item.what != "rule":
            yield paragraph(item.key or "", indent=2)
            yield paragraph(f"{words('diff', 'before')}: {shown(item.before)}", indent=4)
            yield paragraph(f"{words('diff', 'after')}: {shown(item.after)}", indent=4)


def _decisions_page(found: list[DecidedOtherwise], counts: Compared, packs: tuple[Pack, Pack], words: Words) -> Page:
    from service.page import QUIET, STRONG, paragraph

    titles = {rule.id: words.of(rule.title) for pack in packs for rule in pack.editions[-1].rules}
    decision = None
    for item in found:
        if item.decision != decision:
            decision = item.decision
            yield paragraph(
                (f"{item.case}, {words('diff', 'version')} {item.version}", STRONG), (f" {decision}", QUIET)
            )
        about = f" {item.entry}" if item.entry is not None else ""
        step = f", {words('diff', 'step')}" if item.step else ""
        day = f"{words.day(date.fromisoformat(item.as_of))}{step}"
        was, will = words("outcomes", item.before), words("outcomes", item.after)
        yield paragraph(f"– {titles[item.rule]}{about}: {was} → {will} ({day})", (f" {item.rule}", QUIET), indent=2)
    changed = len({item.decision for item in found})
    key = "changes_on_decisions" if found else "same_on_decisions"
    yield paragraph(words("diff", key, decisions=counts.decisions, changed=changed, count=len(found)))
    yield paragraph(words("diff", "taken_under_old", count=counts.taken_under_old))
    if counts.unreadable:
        yield paragraph(words("diff", "unreadable", count=counts.unreadable))


def _otherwise_page(found: list[Otherwise], cases: int, packs: tuple[Pack, Pack], words: Words) -> Page:
    from service.page import QUIET, STRONG, paragraph

    titles = {rule.id: words.of(rule.title) for pack in packs for rule in pack.editions[-1].rules}
    case = None
    for item in found:
        if item.case != case:
            case = item.case
            yield paragraph((case, STRONG))
        about = f" {item.entry}" if item.entry is not None else ""
        was, will = words("outcomes", item.before), words("outcomes", item.after)
        yield paragraph(f"– {titles[item.rule]}{about}: {was} → {will}", (f" {item.rule}", QUIET), indent=2)
    key = "changes_on_cases" if found else "same_on_cases"
    yield paragraph(words("diff", key, cases=cases, count=len(found)))
