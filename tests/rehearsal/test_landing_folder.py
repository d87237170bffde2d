from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.landing_folder import LandingFolder
from rehearsal.world import NEVER, Landing


def rows(landing: Path) -> list[int]:
    files = sorted((landing / "visits").glob("*.parquet"))
    return [value for file in files for value in pq.read_table(file)["row"].to_pylist()]


def expected(folder: LandingFolder, *known: int) -> None:
    table = pa.table({"row": list(range(len(known)))})
    folder.expect("visits", Landing(table, np.array(known)))


def test_a_row_lands_once_on_the_morning_on_which_it_is_known(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path)
    expected(folder, 5, 15, 25)

    folder.land(10, "a")
    assert rows(tmp_path) == [0]
    folder.land(20, "b")
    assert rows(tmp_path) == [0, 1]
    folder.land(30, "c")
    assert rows(tmp_path) == [0, 1, 2]


def test_a_row_that_nobody_will_know_never_lands(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path)
    expected(folder, NEVER, 5)

    folder.land(10**15, "a")

    assert rows(tmp_path) == [1]


def test_a_morning_that_is_repeated_changes_no_file(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path)
    expected(folder, 5, 15)
    folder.land(10, "a")
    file = tmp_path / "visits" / "a.parquet"
    before = file.stat().st_mtime_ns, file.read_bytes()

    again = LandingFolder(tmp_path)
    expected(again, 5, 15)
    again.land(10, "a")
    again.land(20, "b")

    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    assert rows(tmp_path) == [0, 1]
