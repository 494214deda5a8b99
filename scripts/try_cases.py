"""Try one theme's cases while writing them: `python scripts/try_cases.py THEME [RULE] [--mutants [NAME]] [--lang en]`.

Prints every check that fails, the outcomes no case shows yet, and with `--mutants` the mutants that no case kills: of
the theme's rules and their deadlines, of one rule, deadline or parameter, or of `speaks` (when rules speak).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import yaml

from rules.assessment import Assessor
from rules.cases import CaseFileError, outcomes_missing, read_cases, run_case, themes
from rules.fold import PARAMETERS_READ
from rules.pack import DEFAULT_PACK, load_pack
from tests.rules.mutants import Proof


def main() -> int:
    """Run the cases; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("theme")
    parser.add_argument("rule", nargs="?", help="only cases that name this rule")
    parser.add_argument("--mutants", nargs="?", const="", metavar="NAME", help="of a rule, deadline or parameter")
    parser.add_argument("--lang", default="en", choices=("fi", "sv", "en"))
    given = parser.parse_args()
    pack = load_pack()
    try:
        cases = read_cases(DEFAULT_PACK, given.theme, pack)
    except (CaseFileError, OSError) as error:
        print(error)
        return 1
    if given.rule:
        cases = [case for case in cases if given.rule in case.rules]
    failures = [failure for case in cases for failure in run_case(case, Assessor(pack))]
    for failure in failures:
        print(failure.text(given.lang), end="\n\n")
    print(f"{len(cases)} cases, {sum(len(check) for case in cases for check in case.checks)} checks,", end=" ")
    print(f"{len(failures)} failures")
    own = [rule["id"] for rule in yaml.safe_load((DEFAULT_PACK / f"{given.theme}.yaml").read_text(encoding="utf-8"))]
    missing = {
        name: lack
        for name, lack in outcomes_missing(pack, cases).items()
        if name in ([given.rule] if given.rule else own)
    }
    for name, lack in missing.items():
        print(f"no case shows {name}: {', '.join(lack)}")
    if given.mutants is not None:
        wanted = [given.mutants] if given.mutants else [given.rule] if given.rule else []
        print_survivors(own, wanted)
    return 1 if failures else 0


def print_survivors(own: list[str], wanted: list[str]) -> None:
    """The mutants that no case of any theme kills: of the names wanted, or of a theme's rules and their deadlines."""
    pack = load_pack()
    cases = []
    for theme in themes(DEFAULT_PACK):
        try:
            cases += read_cases(DEFAULT_PACK, theme, pack)
        except CaseFileError as error:
            print(f"({theme} left out: {error})")
    proof = Proof(pack, cases)
    deadlines = [item.name for item in pack.editions[-1].derivations]
    if not wanted:
        rules = [rule for rule in pack.editions[-1].rules if rule.id in own]
        wanted = [*own, *(name for name in deadlines if any(proof.rests_on(rule, name) for rule in rules))]
    killed = total = 0
    for name in wanted:
        if name in deadlines:
            results = proof.derivation_results(name)
        elif name == "speaks":
            results = proof.speaking_results()
        elif name in PARAMETERS_READ:
            results = proof.parameter_results(name)
        else:
            results = proof.rule_results(name)
        total += len(results)
        killed += sum(results.values())
        for mutant, dead in results.items():
            if not dead:
                print(f"survives: {mutant.of}: {mutant.change}")
    print(f"{killed} of {total} mutants killed")


if __name__ == "__main__":
    sys.exit(main())
