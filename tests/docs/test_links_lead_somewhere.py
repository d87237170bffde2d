"""A link of the documentation to a file of the project leads to that file."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("docs", "problems")
PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")),
]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [found[0] for found in LINK.findall(page.read_text("utf-8"))]
    local = [target for target in targets if not target.startswith(("http://", "https://", "NNNN"))]

    assert [target for target in local if not (page.parent / target).exists()] == []
