"""A decision is one page of one form, with a number of its own."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("*.md"))
PARTS = ["Context", "Decision", "Consequences", "Alternatives"]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_decision_has_its_parts_on_one_page(page: Path) -> None:
    text = page.read_text("utf-8")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert re.search(r"^\* \*\*Status:\*\* (accepted|proposed|superseded by)", text, re.MULTILINE)
    assert re.search(r"^\* \*\*Date:\*\* \S+", text, re.MULTILINE)
    assert text.count("\n") <= 60


def test_numbers_follow_one_another() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(len(PAGES)))
