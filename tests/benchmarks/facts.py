"""Facts for the tests of those who judge many clients: of random journals, and drawn straight from the vocabulary."""

import random
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from benchmarks.check_loop import Row, row
from rules.engines.columns import NEVER, tables
from rules.engines.reference import reference
from rules.facts import FACTS, KINDS, UNKNOWN, Value
from rules.findings import Judge, SetAside
from rules.fold import Subject
from rules.journal import case_from_data
from service.checks.facts import CaseFolder, FactsWriter
from tests.helpers import pack
from tests.oracle.generate import random_case

#: What rules count in from a date, and how far from a limit a date may lie.
DAYS, MONTHS, BESIDE = (0, 3, 7, 14, 30), (0, 1, 2, 3, 6, 12, 24), (-1, 0, 0, 1)


class Caseload:
    """Facts written as one part, and the open findings that the reference engine comes to on them."""

    def __init__(self, folder: Path, day: date) -> None:
        self.parts = [folder / "part-0"]
        self.day = day
        self.expected: list[Row] = []
        self._writer = FactsWriter(self.parts[0], pack())

    def add(self, subjects: list[Subject], set_aside: dict[str, SetAside]) -> None:
        """One more client."""
        number = self._writer.cases
        place = ("Lahti", None, "Hollola")[number % 3]
        self._writer.put((number, f"case-{number}", place, "1", self.day, NEVER), subjects, set_aside)
        standing = {rule: aside for rule, aside in set_aside.items() if aside.until is None or aside.until >= self.day}
        for finding in Judge(pack(), reference, self.day, standing).findings(subjects):
            if finding.open or finding.outcome == UNKNOWN:
                self.expected.append((f"case-{number}", place, *row(finding)))

    def close(self) -> "Caseload":
        """The part is there."""
        self._writer.close()
        return self


def of_journals(folder: Path, day: date, how_many: int, seed: int) -> Caseload:
    """Random journals, folded."""
    rng, folder_of = random.Random(seed), CaseFolder(pack(), day)
    caseload = Caseload(folder, day)
    for _ in range(how_many):
        facts = folder_of.fold(case_from_data(random_case(rng)))
        caseload.add([subject for subject in facts.folded.subjects if subject.current], dict(facts.set_aside))
    return caseload.close()


def of_the_vocabulary(folder: Path, day: date, how_many: int, seed: int) -> Caseload:
    """Facts that no journal need lead to: any value beside any other, dates about every limit."""
    rng = random.Random(seed)
    caseload = Caseload(folder, day)
    rules = [rule.id for rule in pack().rules(day)]
    for _ in range(how_many):
        common = drawn(rng, "case", day)
        subjects = [Subject("case", None, True, False, False, common)]
        for kind in KINDS[1:]:
            if kind in tables(pack()):
                for number in range(rng.choice((0, 1, 1, 2))):
                    facts = {**drawn(rng, kind, day), **common}
                    subjects.append(Subject(kind, f"{kind}-{number}", True, rng.random() < 0.3, False, facts))
        aside = rng.sample(rules, k=rng.choice((0, 0, 1, 3)))
        until = (None, day, day - timedelta(days=1), day + timedelta(days=9))
        caseload.add(subjects, {rule: SetAside(f"aside-{rule}", "", rng.choice(until)) for rule in aside})
    return caseload.close()


def drawn(rng: random.Random, kind: str, day: date) -> dict[str, Value]:
    """A value for every fact of a kind; one that says whether a rule speaks mostly says so."""
    found: dict[str, Value] = {}
    for name, fact in FACTS.items():
        if fact.kind != kind:
            continue
        if fact.may_be_unknown and rng.random() < 0.15:
            found[name] = UNKNOWN
        elif fact.type == "date":
            found[name] = None if rng.random() < 0.15 else near(rng, day)
        elif fact.type == "number":
            found[name] = rng.randrange(8)
        else:
            words = [word for word in fact.values if word != UNKNOWN]
            speaks = "yes" in words and name.endswith(("in_view", "running", "latest")) and rng.random() < 0.7
            found[name] = "yes" if speaks else rng.choice(words)
    return found


def near(rng: random.Random, day: date) -> date:
    """A date about as far from the day as some limit is."""
    month = day.year * 12 + day.month - 1 + rng.choice((-1, 1)) * rng.choice(MONTHS)
    year, of_year = divmod(month, 12)
    in_month = rng.choice((day.day, day.day, 31))
    moved = date(year, of_year + 1, min(in_month, monthrange(year, of_year + 1)[1]))
    return moved + timedelta(days=rng.choice((-1, 1)) * rng.choice(DAYS) + rng.choice(BESIDE))


def as_sorted(rows: Iterable[Row]) -> list[str]:
    """Rows that can be compared whatever their order."""
    return sorted(map(repr, rows))
