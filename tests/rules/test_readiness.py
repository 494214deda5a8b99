"""The checklist is a talk sheet: strengths, open questions and supports to arrange; no sum, no finding."""

from typing import Any

from tests.helpers import answer, assessor, day, entry, journal

ITEMS = [f"chk-{number:02d}" for number in range(1, 17)]


def sheet(*answers: dict[str, str], lang: str = "fi") -> dict[str, Any]:
    """The talk sheet after these answers, one list a day."""
    entries = [
        entry(f"2024-01-{n:02d}", "checklist_answered", answers=given) for n, given in enumerate(answers, start=1)
    ]
    found: dict[str, Any] = answer(journal(*entries), day("2024-02-01"), lang=lang)["readiness"]
    return found


def standing(found: dict[str, Any]) -> dict[str, str]:
    """Under which heading each item stands."""
    return {
        item["item"]: heading
        for group in found["groups"]
        for heading in ("strengths", "open_questions", "supports_to_arrange")
        for item in group[heading]
    }


def test_an_unanswered_checklist_is_all_open_questions() -> None:
    found = sheet()
    assert not found["answered"]
    assert standing(found) == dict.fromkeys(ITEMS, "open_questions")


def test_yes_is_a_strength_unknown_a_question_and_the_rest_a_support_to_arrange() -> None:
    found = sheet({"chk-01": "yes", "chk-02": "partly", "chk-03": "no", "chk-04": "unknown"})
    assert found["answered"]
    places = standing(found)
    assert places["chk-01"] == "strengths"
    assert places["chk-02"] == places["chk-03"] == "supports_to_arrange"
    assert places["chk-04"] == places["chk-05"] == "open_questions"


def test_the_latest_answer_to_an_item_counts_and_the_others_stay() -> None:
    places = standing(sheet({"chk-01": "no", "chk-02": "yes"}, {"chk-01": "yes"}))
    assert places["chk-01"] == places["chk-02"] == "strengths"


def test_of_items_eight_and_nine_one_is_enough() -> None:
    assert standing(sheet({"chk-08": "yes", "chk-09": "no"})).keys() == set(ITEMS) - {"chk-09"}
    assert standing(sheet({"chk-08": "unknown", "chk-09": "yes"})).keys() == set(ITEMS) - {"chk-08"}
    both = standing(sheet({"chk-08": "yes", "chk-09": "yes"}))
    assert both["chk-08"] == both["chk-09"] == "strengths"
    neither = standing(sheet({"chk-08": "no", "chk-09": "partly"}))
    assert neither["chk-08"] == neither["chk-09"] == "supports_to_arrange"


def test_each_support_says_what_to_arrange_in_the_language_asked_for() -> None:
    words = set()
    for lang in ("fi", "sv", "en"):
        found = sheet(dict.fromkeys(ITEMS, "no"), lang=lang)
        supports = [item["support"] for group in found["groups"] for item in group["supports_to_arrange"]]
        assert len(supports) == 16
        assert all(supports)
        words |= {supports[0], found["note"], found["groups"][0]["title"]}
    assert len(words) == 9


def test_the_sheet_holds_no_number_and_no_score() -> None:
    def values(data: Any) -> list[Any]:
        if isinstance(data, dict):
            return [found for value in data.values() for found in values(value)]
        return [found for value in data for found in values(value)] if isinstance(data, list) else [data]

    found = values(sheet(dict.fromkeys(ITEMS, "yes")))
    assert all(isinstance(value, str | bool) for value in found)


def test_answers_corrected_do_not_count() -> None:
    case = journal(
        entry("2024-01-01", "checklist_answered", answers={"chk-01": "no"}),
        entry("2024-01-02", "correction", voids="e1"),
    )
    assert not assessor().assess(case, day("2024-01-03")).readiness["answered"]
    assert assessor().assess(case, day("2024-01-01")).readiness["answered"]
