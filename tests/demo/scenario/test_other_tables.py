"""The small problems have data after the demo; where a package is missing, a sentence says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from demo.scenario.other_tables import land_tables
from perennial.local.home import Home


@pytest.mark.slow
def test_the_small_problems_have_data(home: Home, tmp_path: Path) -> None:
    wine, hotel = land_tables(home, tmp_path)

    assert "`perennial run wine`" in wine
    assert "`perennial run hotel`" in hotel
    assert len((tmp_path / "wine" / "wine.csv").read_text().splitlines()) == 179
    assert len((tmp_path / "hotel" / "hotel.csv").read_text().splitlines()) == 15_403


def test_a_package_that_is_missing_is_one_sentence(home: Home, tmp_path: Path) -> None:
    """An interpreter that answers as the outside world does without the package."""
    interpreter = tmp_path / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(
        "#!/bin/sh\necho \"demo: The package 'x' is not installed.\" >&2\nexit 2\n"
    )
    interpreter.chmod(0o755)

    _, hotel = land_tables(replace(home, project=tmp_path), tmp_path)

    assert hotel == "No data of 'hotel' have landed: The package 'x' is not installed."
