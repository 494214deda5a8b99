"""Makes the pictures of docs/screenshots/ anew: `python scripts/screenshots.py [--to FOLDER] [NAME …]`.

Starts the demo on the day its journeys are written for, so that the pictures show the same each time, and looks at its
pages in Finnish with the browser of the tests (chromium, or the one POLKU_CHROMIUM names). The README shows `list` and
`client`. (Date fields are drawn by the browser, in its own language: where it has no Finnish, as an American writes
days.) Where a picture is larger than docs/ should carry, the script says so and ends with 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, from anywhere

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.browser.alone import alone  # noqa: E402
from tests.browser.driving import ARGUMENTS, MISSING, NARROW, WIDE, Person, chromium, log_in, person  # noqa: E402
from tests.browser.places import PLACES, START_CHECK, Way  # noqa: E402

SHOTS = ROOT / "docs" / "screenshots"
#: A Monday morning, the day of the demo's journeys.
BEGAN = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)
LARGEST = 150_000
_STATES = {place.name: place.way for place in PLACES}


@dataclass(frozen=True)
class Shot:
    """A picture: whose page it is, how one gets there, the size of the window, and how much of the page is shown."""

    name: str
    user: str
    way: str | Way
    height: int = 1250
    narrow: bool = False
    lang: str = "fi"


def _checked_twice(someone: Person) -> None:
    """A check with one of a month ago before it."""
    for day in ("2026-10-23", BEGAN.date().isoformat()):
        someone.open("/checks")
        someone.page.locator("#as_of").fill(day)
        someone.page.locator(START_CHECK).click()
        someone.page.locator("#check .figures").wait_for()


SET = (
    Shot("list", "aino", "/clients"),
    Shot("calendar", "aino", "/clients/calendar"),
    Shot("client", "aino", "/clients/trial-alongside", 1280),
    Shot("client-phone", "aino", "/clients/trial-alongside", 1500, narrow=True),
    Shot("time-line", "vilho", "/clients/sirpa-path/timeline", 1100),
    Shot("talk-sheet", "aino", "/clients/samuli/talk-sheet"),
    Shot("what-if", "vilho", _STATES["what if, a step chosen"]),
    Shot("record", "vilho", "/clients/sirpa-path/record", 1380),
    Shot("form-phone", "aino", "/clients/samuli/record/trial_start", 1500, narrow=True),
    Shot("rule-speaks-against", "aino", _STATES["a rule speaks against it"], 960),
    Shot("why", "vilho", _STATES["why a rule came out so"], 1200),
    Shot("decision", "vilho", _STATES["a decision"], 1150),
    Shot("rule", "aino", "/rules/trial-parallel-two-statements", 1150),
    Shot("team", "martta", "/team", 1300),
    Shot("check", "martta", _checked_twice, 1180),
    Shot("audit", "tarmo", "/audit", 900),
    Shot("summary", "vilho", "/clients/sirpa-path/summary", 1360),
)


def _clock() -> Callable[[], datetime]:
    """A clock that goes on from the fixed morning."""
    started = datetime.now(UTC)
    return lambda: BEGAN + (datetime.now(UTC) - started)


def _take(shot: Shot, someone: Person, folder: Path) -> int:
    """Take the picture; its size in bytes."""
    if isinstance(shot.way, str):
        someone.open(shot.way)
    else:
        shot.way(someone)
    someone.page.wait_for_load_state("networkidle")
    # What has the focus because the page just came is not what the picture is about.
    someone.page.evaluate("() => document.activeElement.blur()")
    tall = int(someone.page.evaluate("() => document.documentElement.scrollHeight"))
    width = (NARROW if shot.narrow else WIDE)["width"]
    clip: Any = {"x": 0, "y": 0, "width": width, "height": min(shot.height, tall)}
    made = someone.page.screenshot(path=folder / f"{shot.name}.png", full_page=True, clip=clip, animations="disabled")
    return len(made)


def main() -> int:
    """Take the pictures; 1 when one is too large or there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--to", type=Path, default=SHOTS, metavar="FOLDER")
    given = parser.parse_args()
    if chromium() is None:
        print(MISSING)
        return 1
    given.to.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SET if not given.names or shot.name in given.names]
    too_large = 0
    with (
        tempfile.TemporaryDirectory(prefix="polku-") as folder,
        alone(Path(folder), clock=_clock(), filled=True) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        for shot in wanted:
            size = NARROW if shot.narrow else WIDE
            with person(browser, demo.address, None, lang=shot.lang, size=size) as someone:
                log_in(someone, shot.user)
                found = _take(shot, someone, given.to)
            too_large += found > LARGEST
            print(f"{shot.name}.png: {found:,} bytes{' TOO LARGE' if found > LARGEST else ''}")
        browser.close()
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
