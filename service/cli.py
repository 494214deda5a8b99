"""The command `polku`: reads cases and rule packs, prints pages for people or JSON for programs.

Exit codes: 0 done, 1 findings or failures, 2 bad input or usage (the message on standard error). As shells have it, 130
when interrupted and 141 when the reader has gone. Imports that only one command needs stand in that command: a page
for one client should not wait for what it does not use.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import typer

from rules.assessment import Assessor, Proposal
from rules.journal import Case
from service.arguments import AsJson, AsOf, KnownAt, Language, Out, assessor, case_of, proposal, today
from service.audit_commands import audit
from service.check_commands import checks
from service.generate_commands import generators
from service.replay_commands import replays
from service.rights_commands import rights
from service.rules_commands import rules
from service.serve_commands import accounts, database, operations
from service.terminal import Faults, nearest, show, write, write_json
from service.words import Words

app = typer.Typer(
    name="polku",
    help="What is next for a client on the way to work, and why. Polku advises; a person decides.",
    cls=Faults,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(checks)
app.add_typer(generators)
app.add_typer(rules)
app.add_typer(operations)
app.add_typer(database)
app.add_typer(accounts)
app.add_typer(rights)
app.add_typer(audit)
app.add_typer(replays)

CaseFile = Annotated[str, typer.Argument(metavar="CASE", help="A case file, YAML or JSON; - reads standard input.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("polku")
        except PackageNotFoundError:  # run from its folder, not installed
            found = "(not installed)"
        write(f"polku {found}\n")
        raise typer.Exit


@app.callback()
def polku(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What is next for a client on the way to work, and why. Polku advises; a person decides."""


@app.command("next")
def next_(
    case: CaseFile,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    lang: Language = "fi",
    history: Annotated[bool, typer.Option("--history", help="Earlier episodes too.")] = False,
    propose: Annotated[
        str | None, typer.Option("--propose", metavar="STEP", help="Judge a step, such as start_work_trial.")
    ] = None,
    details: Annotated[
        list[str] | None, typer.Option("--with", metavar="DETAIL=VALUE", help="A detail of the step; may be repeated.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="RULE", help="Show one rule clause by clause.")
    ] = None,
) -> None:
    """What is next for this client, by when, and why."""
    step = proposal(propose, details or ())
    read, day = case_of(case), as_of or today()
    polku_ = assessor()
    words = Words(lang)
    if explain is not None:
        _explain(polku_, read, day, explain, words, as_json, known_at=known_at, proposal=step)
        return
    found = polku_.assess(read, day, known_at=known_at, proposal=step, lang=lang, history=history)
    if as_json:
        write_json(found.as_json())
        return
    from service.page import AssessmentPage

    show(AssessmentPage(found, read, words, proposal=step, history=history).parts())


@app.command()
def diagram(
    case: Annotated[str | None, typer.Argument(metavar="CASE", help="A case whose place is marked.")] = None,
    as_of: AsOf = None,
    format_: Annotated[Literal["svg", "mermaid"], typer.Option("--format", help="Kind of drawing.")] = "svg",
    out: Out = None,
    lang: Language = "fi",
) -> None:
    """The path as a drawing: five charts, with the client's place if a case is given."""
    from rules.fold import fold
    from statemachines.diagram import mermaid, svg

    here = None
    if case is not None:
        day = as_of or today()
        here = fold(assessor().history(case_of(case), day), day).state
    write(mermaid(here=here) if format_ == "mermaid" else svg(here=here, lang=lang), out)


@app.command()
def schema(out: Out = None) -> None:
    """The JSON Schema of a case file."""
    from rules.journal import json_schema

    write_json(json_schema(), out)


@app.command()
def examples(lang: Language = "fi") -> None:
    """The pages of the example clients, and how to go on."""
    from service.examples import parts

    show(parts(assessor(), Words(lang)))


def main() -> None:
    """Run the command line."""
    app()


def _explain(
    polku_: Assessor,
    case: Case,
    day: date,
    rule_id: str,
    words: Words,
    as_json: bool,
    *,
    known_at: datetime | None,
    proposal: Proposal | None,
) -> None:
    from rules.explain import explain

    pack = polku_.pack
    versions = pack.versions(rule_id)
    if not versions:
        known = sorted({rule.id for rule in pack.editions[-1].rules})
        raise typer.BadParameter(nearest("rule", rule_id, known), param_hint="--explain")
    found = explain(polku_, case, day, rule_id, known_at=known_at, proposal=proposal)
    if as_json:
        data = {"case": case.id, "as_of": day.isoformat(), "pack": {"id": pack.id, "version": pack.version}}
        write_json({**data, "explanations": [item.as_json(words.lang) for item in found]})
        return
    from service.explained import ExplanationPage

    rule = next((rule for rule in versions if rule.in_force(day)), versions[-1])
    show(ExplanationPage(found, case, pack, rule, words).parts())


if __name__ == "__main__":
    main()
