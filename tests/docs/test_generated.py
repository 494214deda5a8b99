"""The pages made from the pack are those committed, and say what the pack says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rules.facts import FACTS
from rules.pack import DEFAULT_PACK
from scripts.rule_pages import Pages, stale, write

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(DEFAULT_PACK)


def test_the_committed_pages_are_up_to_date(pages: Pages) -> None:
    assert stale(DOCS, pages.all()) == [], "run: python scripts/rule_pages.py"


def test_every_rule_has_a_page_with_its_three_texts_and_its_sources(pages: Pages) -> None:
    written = pages.all()
    for rule in pages.pack.editions[-1].rules:
        page = written[f"rules/{rule.id}.md"]
        assert all(rule.text[language] in page and rule.title[language] in page for language in ("fi", "sv", "en"))
        assert rule.severity in page
        for source in rule.source:
            assert source["document"] in page or source["document"] == "local"
        assert f"]({rule.id}.md)" in written["rules/README.md"]


def test_every_number_of_a_deadline_stands_on_the_pages_of_its_rules(pages: Pages) -> None:
    page = pages.all()["rules/ktt-pause-max-one-month.md"]
    assert "`activity.pause_max_months`" in page
    assert "| 1 month |" in page
    assert "It is advised from `pause.warn_days` days before" in page
    assert "no ground for it was found in law" in page


def test_the_vocabulary_names_every_fact_and_every_number(pages: Pages) -> None:
    page = pages.all()["facts.md"]
    for name in (*FACTS, *pages.pack.parameters, *(item.name for item in pages.pack.editions[-1].derivations)):
        assert f"`{name}`" in page


def test_no_condition_of_a_rule_is_left_out_of_its_page(pages: Pages) -> None:
    """Every fact a rule reads stands on its page by name, apart from those that only say in which stages it speaks."""
    written = pages.all()
    for rule in pages.pack.editions[-1].rules:
        for fact in rule.reads():
            name = fact.removeprefix("finding.")
            if fact.endswith(".in_view") or fact in ("case.stage", "finding.any_step"):
                continue
            assert name in written[f"rules/{rule.id}.md"], f"{rule.id}: {fact}"


def test_a_changed_missing_or_left_over_page_is_named(pages: Pages, tmp_path: Path) -> None:
    written = pages.all()
    write(tmp_path, written)
    assert stale(tmp_path, written) == []
    (tmp_path / "facts.md").write_text("by hand\n", encoding="utf-8")
    (tmp_path / "rules" / "days-per-week-1-4.md").unlink()
    (tmp_path / "rules" / "no-such-rule.md").write_text("old\n", encoding="utf-8")
    assert stale(tmp_path, written) == [
        "facts.md: out of date",
        "rules/days-per-week-1-4.md: missing",
        "rules/no-such-rule.md: no rule has this page",
    ]
    write(tmp_path, written)
    assert stale(tmp_path, written) == []


def test_a_word_it_does_not_know_is_a_usage_error() -> None:
    script = DOCS.parent / "scripts" / "rule_pages.py"
    done = subprocess.run([sys.executable, str(script), "--chekc"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--check" in done.stderr


def documents() -> list[Path]:
    """The README and every page of docs/."""
    found = [DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
    assert len(found) > 10
    return found


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(DOCS.parent)))
def test_every_link_between_documents_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in target]
    assert [target for target in targets if not (path.parent / target).exists()] == []
