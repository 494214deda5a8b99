"""Writes the pages that follow from the pack and the charts: docs/rules/, docs/facts.md, docs/path.md and path.svg.

python scripts/rule_pages.py            write them
python scripts/rule_pages.py --check    exit with 1 and name every page that is missing, out of date or left over
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from rules.cases import WorkedCase, read_cases  # noqa: E402
from rules.facts import FACTS, KINDS, Fact  # noqa: E402
from rules.fold import PARAMETERS_READ  # noqa: E402
from rules.pack import ANY_STEP, DEFAULT_PACK, FINDING, LANGUAGES, Pack, Parameter, Rule, load_pack  # noqa: E402
from service.rule_parts import strings  # noqa: E402
from statemachines import STATES  # noqa: E402
from statemachines.diagram import mermaid, svg  # noqa: E402
from statemachines.labels import CHARTS  # noqa: E402

Data = dict[str, Any]

MADE = "<!-- Made by scripts/rule_pages.py from the rule pack. Change the pack, not this page. -->\n"
LANGUAGE_NAMES = {"fi": "Suomeksi", "sv": "På svenska", "en": "In English"}
AUTHORITY = {
    "statute": "statute: the law says so",
    "quality-criterion": "quality criterion of supported job coaching",
    "pilot-practice": "practice of the pilot; no statute",
    "project-proposal": "proposal of the project, not tried in practice",
    "local-choice": "local choice: no source gives it",
}
SEVERITY = {
    "obligation": "obligation",
    "quality": "quality (a criterion of good coaching)",
    "recommendation": "recommendation",
    "information": "information (what comes next on the path)",
}
SPEAKS = {
    "open": "while the case is open and no other outcome has been reached",
    "after_outcome": "while the case is open, also when another outcome has been reached",
    "always": "always, also when the case is closed",
}
#: Kinds of which a rule still speaks when another outcome has been reached, as long as they run.
RUNNING_ON = ("activity", "pause", "trial", "job")
#: The group of a rule page's index, by theme file.
THEMES = {
    "access": "Getting into coaching",
    "plan": "The activation plan",
    "activity": "Rehabilitative work activity",
    "coaching": "Coaching while it runs",
    "trial": "The work trial",
    "job": "The job",
    "between": "Between services, afterwards, and the record itself",
    "path": "What comes next on the path",
}


def _word(value: Any) -> str:
    return {True: "yes", False: "no", None: "none"}.get(value, str(value)) if not isinstance(value, str) else value


def _listed(values: Iterable[Any], joint: str = "or") -> str:
    words = [f"*{_word(value)}*" for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


class Pages:
    """The pages of one pack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pack: Pack = load_pack(folder)
        head = self._yaml("pack")
        self.derived: Data = head.get("derived", {})
        self.themes: dict[str, list[Data]] = {theme: self._yaml(theme) for theme in head["themes"]}
        self.vocabulary: Mapping[str, Fact] = self.pack.editions[-1].vocabulary
        self.cases: list[WorkedCase] = [
            case
            for theme in self.themes
            if (folder / f"{theme}.cases.yaml").is_file()
            for case in read_cases(folder, theme, self.pack)
        ]

    def _yaml(self, name: str) -> Any:
        return yaml.safe_load((self.folder / f"{name}.yaml").read_text(encoding="utf-8"))

    def all(self) -> dict[str, str]:
        """Every page: its path under docs/ and its text."""
        pages = {"rules/README.md": self._index(), "facts.md": self._facts(), **_path()}
        for items in self.themes.values():
            for rule_id in dict.fromkeys(str(item["id"]) for item in items):
                versions = [item for item in items if item["id"] == rule_id]
                pages[f"rules/{rule_id}.md"] = self._page(rule_id, versions)
        return pages

    # --- a rule's page ---

    def _page(self, rule_id: str, versions: list[Data]) -> str:
        rules = self.pack.versions(rule_id)
        newest = rules[-1]
        lines = [MADE, f"# {newest.title['en']}\n", f"`{rule_id}`\n"]
        for item in versions:
            (rule,) = [rule for rule in rules if rule.valid_from == item["valid"]["from"]]
            if len(versions) > 1:
                lines.append(f"## The version in force from {rule.valid_from}\n")
            lines += [*self._table(rule, item), *self._logic(item), *self._numbers(rule, item)]
            lines += [*self._sources(rule), *self._caution(rule), *self._texts(rule)]
        lines += self._examples(rule_id)
        return "\n".join(lines).rstrip() + "\n"

    def _table(self, rule: Rule, item: Data) -> Iterator[str]:
        until = f" to {rule.valid_to}" if rule.valid_to is not None else ""
        about = {"case": "the client's case", "stop": "a decline, ending or interruption of coaching"}.get(
            rule.about, f"each {rule.about}"
        )
        event = ""
        if rule.event is not None:
            event = f"; judged by the version in force on its day ({self._fact(rule.event)})"
        actions = [f"`{action}` when {self._inline(case['when'])}" for case, (_, action) in self._variants(rule, item)]
        rows = {
            "About": about + event,
            "In force": f"from {rule.valid_from}{until}",
            "Severity": SEVERITY[rule.severity],
            "Authority": AUTHORITY[rule.authority],
            "Who acts": f"`{rule.role}`",
            "Action": "; ".join([*actions, f"{'else ' if actions else ''}`{rule.action}`"]),
            "Guards": ", ".join(f"`{trigger}`" for trigger in rule.guards) or "no step",
            "Speaks": self._speaks(rule, str(item.get("speaks", "open"))),
            "After the ending": "still gives a step"
            if rule.about_ending
            else "gives no step once its subject has ended",
        }
        if rule.about not in ("activity", "pause", "coaching", "trial", "job", "stop"):
            del rows["After the ending"]
        yield "| | |\n|---|---|"
        yield from (f"| {name} | {text} |" for name, text in rows.items())
        yield ""

    @staticmethod
    def _speaks(rule: Rule, when: str) -> str:
        running_on = f"; then only of one that still runs ({rule.about})" if rule.about in RUNNING_ON else ""
        return SPEAKS[when] + (running_on if when == "open" else "")

    @staticmethod
    def _variants(rule: Rule, item: Data) -> Iterator[tuple[Data, tuple[Any, str]]]:
        return zip(item.get("actions", ()), rule.actions, strict=True)

    def _logic(self, item: Data) -> Iterator[str]:
        when = item.get("when", {})
        yield "## When it applies\n"
        yield from self._worded(when) if when else ["Always."]
        yield ""
        if "limit" in item:
            yield from self._limit(item)
        elif "advise" in item:
            yield "## What it says\n"
            if "done" in item:
                yield "Advised, until this holds; then satisfied:\n"
                yield from self._worded(item["done"])
            else:
                yield "Advised, as long as it applies."
            if "due" in item:
                yield f"\nDue: {self._fact(item['due'])}."
        else:
            yield "## What must hold\n"
            yield from self._worded(item["holds"])
            if "late" in item:
                yield "\nOtherwise, where this holds, it is remedied: done, but late.\n"
                yield from self._worded(item["late"])
            yield "\nOtherwise it is violated."
        yield ""

    def _limit(self, item: Data) -> Iterator[str]:
        yield "## The limit\n"
        if "holds" in item:
            yield "What must hold, or it is violated:\n"
            yield from self._worded(item["holds"])
            yield ""
        limit = self._fact(item["limit"])
        yield f"The limit day is {limit}; that day is still in time."
        if "done" in item:
            yield f"Whether it was done in time is told by: {self._fact(item['done'])}."
            yield "Done by the limit it is satisfied, later it is remedied."
        yield "Past the limit and not done, it is violated." if "done" in item else "Past the limit it is violated."
        ahead = item.get("advise_before", "always")
        if ahead == "always":
            yield "Until then it is advised."
        elif ahead == "never":
            yield "Until then it is satisfied."
        else:
            yield f"It is advised from `{ahead}` days before, and satisfied before that."
        if "overdue" in item:
            yield f"When violated, the date shown is {self._fact(item['overdue'])}."

    # --- conditions in words ---

    def _worded(self, data: Any, depth: int = 0) -> Iterator[str]:
        """A condition as a nested list; its lines must all hold."""
        indent = "  " * depth
        for part in data if isinstance(data, list) else [data]:
            for key, value in part.items():
                if key in ("any", "all"):
                    yield f"{indent}- {'at least one of these' if key == 'any' else 'all of these'}:"
                    for inner in value:
                        yield from self._group(inner, depth + 1)
                elif key == "not":
                    yield f"{indent}- it is not so that:"
                    yield from self._worded(value, depth + 1)
                else:
                    yield f"{indent}- {self._line(key, value)}"

    def _group(self, inner: Any, depth: int) -> Iterator[str]:
        """One member of a group; several lines of it hold together."""
        if isinstance(inner, dict) and len(inner) > 1:
            yield f"{'  ' * depth}- all of these:"
            depth += 1
        yield from self._worded(inner, depth)

    def _inline(self, data: Data) -> str:
        return " and ".join(self._line(key, value) for key, value in data.items())

    def _line(self, name: str, value: Any) -> str:
        if name == ANY_STEP:
            return f"another finding gives a next step: *{_word(value)}*"
        subject = self._fact(name)
        if name.startswith(FINDING):
            rule_id = name.removeprefix(FINDING)
            subject = f"what [`{rule_id}`]({rule_id}.md) came to"
        negated = isinstance(value, dict) and value.keys() == {"not"}
        value = value["not"] if negated else value
        if not isinstance(value, dict):
            values = value if isinstance(value, list) else [value]
            if negated:
                return f"{subject} is {'not ' if len(values) == 1 else 'none of '}{_listed(values)}"
            return f"{subject} is {_listed(values)}"
        ((test, bound),) = value.items()
        return f"{subject} {self._test(test, bound)}"

    @staticmethod
    def _test(test: str, bound: Any) -> str:
        if test == "given":
            return "is recorded" if _word(bound) == "yes" else "is not recorded"
        if test in ("at_least", "at_most"):
            return f"is {test.replace('_', ' ')} {f'`{bound}`' if isinstance(bound, str) else bound}"
        moved = (
            "" if bound == 0 else f"{'minus' if str(bound).startswith('-') else 'plus'} {str(bound).lstrip('-')} days "
        )
        return moved + ("is past" if test == "passed" else "has come")

    def _fact(self, name: str) -> str:
        fact = self.vocabulary.get(name)
        return f"{fact.labels['en']} (`{name}`)" if fact is not None else f"`{name}`"

    # --- numbers, sources, texts, cases ---

    def _numbers(self, rule: Rule, item: Data) -> Iterator[str]:
        deadlines = self._deadlines([*rule.reads(), *filter(None, (rule.due, rule.overdue, rule.event))])
        used = [bound for name in deadlines for bound in self._operands(name) if bound in self.pack.parameters]
        used += [bound for bound in strings(item) if bound.lstrip("-") in self.pack.parameters]
        if deadlines:
            yield "## Deadlines\n"
            for name in deadlines:
                operation, operands = self._operation(name)
                yield f"- {self._fact(name)}: `{operation}({', '.join(map(str, operands))})`"
            yield ""
        parameters = dict.fromkeys(name.lstrip("-") for name in used)
        if parameters:
            yield "## Numbers\n"
            yield from self._parameter_table(self.pack.parameters[name] for name in parameters)
            yield ""

    def _deadlines(self, names: Iterable[str]) -> list[str]:
        """The derived facts among `names`, and those they are derived from, each once."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            if name in self.derived and name not in found:
                found[name] = None
                waiting += [operand for operand in self._operation(name)[1] if isinstance(operand, str)]
        return list(found)

    def _operation(self, name: str) -> tuple[str, list[Any]]:
        ((operation, operands),) = [(key, value) for key, value in self.derived[name].items() if key != "label"]
        return operation, operands

    def _operands(self, name: str) -> list[str]:
        return [operand.lstrip("-") for operand in self._operation(name)[1] if isinstance(operand, str)]

    def _parameter_table(self, parameters: Iterable[Parameter]) -> Iterator[str]:
        yield "| number | value | from | authority | source |\n|---|---|---|---|---|"
        for parameter in parameters:
            for value in parameter.values:
                unit = parameter.unit.replace("_", " ").replace("workdays", "working days")
                unit = unit.replace("s", "", 1) if value.value == 1 else unit
                cited = "; ".join(self._cited(source) for source in value.source)
                yield (
                    f"| {parameter.labels['en']} (`{parameter.name}`) | {value.value} {unit} | {value.valid_from}"
                    f" | {parameter.authority} | {cited} |"
                )

    def _cited(self, source: Mapping[str, str]) -> str:
        if source["document"] == "local":
            return f"local choice: {source.get('section', '')}".rstrip(": ")
        return f"{source['document']}, {source['section']}" if "section" in source else source["document"]

    def _sources(self, rule: Rule) -> Iterator[str]:
        yield "## Sources\n"
        for source in rule.source:
            title = self.pack.sources[source["document"]]["title"] if source["document"] in self.pack.sources else ""
            yield f"- {self._cited(source)}{f' ({title})' if title and source['document'] != 'local' else ''}"
        yield ""

    @staticmethod
    def _caution(rule: Rule) -> Iterator[str]:
        if rule.caution is not None:
            start = f" from {rule.caution.valid_from}" if rule.caution.valid_from is not None else ""
            yield f"## Caution\n\nShown{start} wherever the rule speaks:\n"
            yield from (f"> {rule.caution.text[language]}\n" for language in LANGUAGES)

    @staticmethod
    def _texts(rule: Rule) -> Iterator[str]:
        yield "## What the worker reads\n"
        for language in LANGUAGES:
            yield f"### {LANGUAGE_NAMES[language]}\n\n**{rule.title[language]}.** {rule.text[language]}\n"

    def _examples(self, rule_id: str) -> Iterator[str]:
        cases = [case for case in self.cases if rule_id in case.rules]
        yield "## Cases\n"
        if not cases:
            yield "None yet."
        for case in cases:
            worked = f" (worked from {self._cited(case.source)})" if case.source else ""
            yield f"- {case.name}{worked}"

    # --- the index and the vocabulary ---

    def _index(self) -> str:
        lines = [MADE, f"# The rules: {self.pack.title['en']}\n"]
        lines.append(
            "A page per rule: when it applies, what must hold, its numbers, sources, texts and cases. The words of the"
            " conditions are listed in [the vocabulary](../facts.md); how rules are written is told in"
            " [For rule writers](../rule-writers.md). Some facts are themselves read with numbers of the pack, such as"
            " the days of the meetings around the start of a job; those stand under Numbers in the vocabulary.\n"
        )
        for theme, items in self.themes.items():
            lines += [
                f"## {THEMES.get(theme, theme)}\n",
                "| rule | | severity | in force | cases |",
                "|---|---|---|---|---|",
            ]
            for rule_id in dict.fromkeys(str(item["id"]) for item in items):
                rule = self.pack.versions(rule_id)[-1]
                until = f" to {rule.valid_to}" if rule.valid_to is not None else ""
                count = sum(rule_id in case.rules for case in self.cases)
                lines.append(
                    f"| [`{rule_id}`]({rule_id}.md) | {rule.title['en']} | {rule.severity}"
                    f" | from {self.pack.versions(rule_id)[0].valid_from}{until} | {count} |"
                )
            lines.append("")
        return "\n".join(lines).rstrip() + "\n"

    def _facts(self) -> str:
        lines = [MADE, "# The vocabulary: facts and numbers\n"]
        lines.append(
            "Every fact a rule may read. A rule about one kind of subject reads that kind's facts and the case's."
            " Recorded facts come from the journal; deadlines are derived from them in the pack. *Unknown*: the fact"
            " can be unknown, which is never read as no. Of the others, a date not recorded is known to be absent.\n"
        )
        for kind in KINDS:
            lines += [f"## {kind}\n", "| fact | in English | suomeksi | på svenska | values | unknown | read from |"]
            lines.append("|---|---|---|---|---|---|---|")
            lines += [self._fact_row(fact) for fact in self.vocabulary.values() if fact.kind == kind]
            lines.append("")
        lines += ["## Numbers\n", "Dated parameters of the pack. A value holds from its day until the next one's.\n"]
        lines += self._parameter_table(self.pack.parameters.values())
        lines += [
            "",
            "The facts themselves are read with these: " + ", ".join(f"`{name}`" for name in PARAMETERS_READ) + ".",
        ]
        return "\n".join(lines).rstrip() + "\n"

    def _fact_row(self, fact: Fact) -> str:
        values = ", ".join(fact.values) if fact.type in ("enum", "yes_no") else fact.type
        read_from = f"`{fact.read_from}`" if fact.name not in FACTS else fact.read_from
        labels = " | ".join(fact.labels[language] for language in ("en", "fi", "sv"))
        return f"| `{fact.name}` | {labels} | {values} | {'yes' if fact.may_be_unknown else ''} | {read_from} |"


def _path() -> dict[str, str]:
    """The path as a picture and as Mermaid, drawn from the charts themselves."""
    charts = "\n".join(f"## {CHARTS[chart]['en']}\n\n```mermaid\n{mermaid(chart).strip()}\n```\n" for chart in STATES)
    text = (
        "# The path: five charts side by side\n\nDrawn from the definitions in `statemachines/charts.py` by"
        " `scripts/rule_pages.py`; `polku diagram CASE` marks where a client is.\n\n"
        "![The five charts of the path: states as columns, steps as lines](path.svg)\n\n"
    )
    return {"path.md": text + charts, "path.svg": svg(lang="en")}


def stale(docs: Path, pages: Mapping[str, str]) -> list[str]:
    """The pages under `docs` that are missing, out of date, or about a rule that is no more."""
    found = [
        f"{name}: {'out of date' if (docs / name).is_file() else 'missing'}"
        for name, text in pages.items()
        if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text
    ]
    left = {f"rules/{path.name}" for path in (docs / "rules").glob("*.md")} - pages.keys()
    return sorted(found) + [f"{name}: no rule has this page" for name in sorted(left)]


def write(docs: Path, pages: Mapping[str, str]) -> None:
    """Write the pages under `docs` and remove those of rules that are no more."""
    (docs / "rules").mkdir(parents=True, exist_ok=True)
    for path in (docs / "rules").glob("*.md"):
        if f"rules/{path.name}" not in pages:
            path.unlink()
    for name, text in pages.items():
        (docs / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or check the pages; 0 when all is well, 1 when a page is stale, 2 for a usage error."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    pages = Pages(DEFAULT_PACK).all()
    if not arguments:
        write(ROOT / "docs", pages)
        return 0
    found = stale(ROOT / "docs", pages)
    print("\n".join([*found, "run: python scripts/rule_pages.py"] if found else [f"{len(pages)} pages are up to date"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
