"""A generated page says what the code says, today."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docs.generate import PAGES


@pytest.mark.parametrize(("path", "text"), PAGES.items(), ids=[path.name for path in PAGES])
def test_a_generated_page_is_current(path: Path, text: Callable[[], str]) -> None:
    assert path.read_text("utf-8") == text(), "run `python -m docs.generate`"
