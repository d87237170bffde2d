"""The log's files: read once, damaged ones named, many small ones compacted exactly once."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fixtures_monitoring import MonitoredProblem

from contract.store.client import Store
from methods.controller.days import Calendar
from tasks.monitoring.evidence.champions import MonitoredModels
from tasks.monitoring.evidence.compaction import compact
from tasks.monitoring.evidence.log import ServedDay, read_log
from tasks.monitoring.evidence.segments import SegmentLog

MAY = date(2013, 5, 1)
JOINED = ("key.flight",)


@pytest.fixture
def monitored(store: Store, problem_name: str, tmp_path: Path) -> MonitoredProblem:
    return MonitoredProblem(store, problem_name, tmp_path)


@pytest.fixture
def split(monitored: MonitoredProblem) -> MonitoredProblem:
    """A problem whose first of two days came in 20 segments."""
    monitored.serve(MAY, 2, rows=100)
    first, _ = logged(monitored)
    table = monitored.parquet(first)
    for n in range(20):
        name = first.removeprefix(f"{monitored.name}/").replace(".parquet", f"-{n:02d}.parquet")
        monitored.put_parquet(name, table.slice(n * 5, 5))
    monitored.store.delete(first)
    return monitored


def logged(monitored: MonitoredProblem) -> list[str]:
    return list(monitored.store.keys(f"{monitored.name}/predictions/"))


def look(monitored: MonitoredProblem, name: str = "a") -> SegmentLog:
    scratch = monitored.folder / name
    scratch.mkdir(exist_ok=True)
    return SegmentLog(monitored.store, monitored.name, Calendar("UTC"), MAY, scratch)


def served(
    monitored: MonitoredProblem, log: SegmentLog, days: Sequence[date] = (MAY,)
) -> dict[date, ServedDay]:
    models = MonitoredModels(monitored.store, monitored.name, monitored.folder)
    return read_log(log, {day: models.of(monitored.digest) for day in days}, JOINED)


def test_a_day_is_counted_once_and_read_back(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 1)
    counted = served(monitored, look(monitored))[MAY]
    profile, sample, keys = counted.profile, counted.sample, counted.lines.keys.tolist()
    (file,) = logged(monitored)
    log = look(monitored, "b")
    monitored.store.delete(file)  # whoever opens it again fails
    again = served(monitored, log)[MAY]

    assert again.profile == profile
    assert str(again.sample.to_pylist()) == str(sample.to_pylist())  # NaN equals nothing
    assert again.lines.keys.tolist() == keys == sorted(keys)


def test_rows_that_come_late_are_counted_with_the_others(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 1, rows=100)
    assert served(monitored, look(monitored))[MAY].profile.rows == 100
    (file,) = logged(monitored)
    late = monitored.parquet(file).slice(0, 7)
    monitored.put_parquet("predictions/dt=2030-01-01/hour=00/late.parquet", late)

    assert served(monitored, look(monitored, "b"))[MAY].profile.rows == 107
    monitored.store.delete(f"{monitored.name}/predictions/dt=2030-01-01/hour=00/late.parquet")
    assert served(monitored, look(monitored, "c"))[MAY].profile.rows == 100


@pytest.mark.parametrize("damage", ["empty", "cut", "no score", "text"])
def test_a_damaged_file_names_itself_and_the_others_count(
    monitored: MonitoredProblem, damage: str
) -> None:
    monitored.serve(MAY, 2, rows=60)
    first, _ = logged(monitored)
    body = monitored.store.get(first)
    if damage == "no score":
        monitored.put_parquet(
            first.removeprefix(f"{monitored.name}/"), monitored.parquet(first).drop_columns("score")
        )
    else:
        monitored.store.put(first, {"empty": b"", "cut": body[:-9], "text": b"no Parquet"}[damage])
    log = look(monitored)
    days = served(monitored, log, [MAY, MAY + timedelta(days=1)])

    assert list(days) == [MAY + timedelta(days=1)]
    assert days[MAY + timedelta(days=1)].profile.rows == 60
    (fault,) = log.faults
    assert first in fault
    assert "restore it, or delete it" in fault


def test_small_files_of_a_day_that_ended_become_one(split: MonitoredProblem) -> None:
    log = look(split)
    before = served(split, log)[MAY].profile
    assert compact(log, split.folder) == 20
    after = look(split, "b")

    assert len(logged(split)) == 2
    assert after.days(split.digest[:16]) == {MAY: 100, MAY + timedelta(days=1): 100}
    assert served(split, after)[MAY].profile == before  # of the same content: read back
    assert compact(after, split.folder) == 0


def test_a_lost_index_and_lost_profiles_are_made_again_from_a_compacted_file(
    split: MonitoredProblem,
) -> None:
    log = look(split)
    before = served(split, log)[MAY].profile
    compact(log, split.folder)
    for key in list(split.store.keys(f"{split.name}/monitoring/")):
        split.store.delete(key)

    assert served(split, look(split, "b"))[MAY].profile == before


def test_segments_that_a_killed_run_did_not_delete_count_once(split: MonitoredProblem) -> None:
    segments = {key: split.store.get(key) for key in logged(split)}
    compact(look(split), split.folder)
    for key, body in segments.items():
        split.store.put(key, body)  # as if it had been killed, or as a service that ships twice
    split.store.delete(f"{split.name}/monitoring/log-index.json")
    log = look(split, "b")

    assert log.days(split.digest[:16])[MAY] == 100
    assert len(log.replaced) == 20
    compact(log, split.folder)
    assert len(logged(split)) == 2


def test_a_segment_that_is_shipped_late_stands_beside_the_compacted_file(
    split: MonitoredProblem,
) -> None:
    some = split.parquet(logged(split)[0])
    compact(look(split), split.folder)
    late = logged(split)[0].removeprefix(f"{split.name}/").rpartition("/")[0]
    split.put_parquet(f"{late}/late.parquet", some)

    log = look(split, "b")
    assert log.days(split.digest[:16])[MAY] == 105
    assert served(split, log)[MAY].profile.rows == 105


def test_the_day_that_is_still_written_is_left_alone(split: MonitoredProblem) -> None:
    newest = logged(split)[-1]
    split.store.delete(newest)

    assert compact(look(split), split.folder) == 0
    assert len(logged(split)) == 20


def test_a_column_that_changes_its_type_is_counted(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 1, rows=60)
    (file,) = logged(monitored)
    table = monitored.parquet(file)
    index = table.column_names.index("in.heavy")
    texts = table.set_column(index, "in.heavy", table.column("in.heavy").cast(pa.string()))
    monitored.put_parquet("predictions/dt=2030-01-01/hour=00/texts.parquet", texts)

    day = served(monitored, look(monitored))[MAY]
    assert day.profile.rows == 120
    assert day.profile.columns["heavy"].missing == 0
