"""When a label counts as known, from the times of its row."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from fixtures_monitoring import SINCE, MonitoredProblem

from contract.store.client import Store
from contract.store.writer import Out
from contract.times import microseconds
from methods.tables.parquet import write_table
from methods.tables.snapshot import SourceSnapshot
from tasks.monitoring.evidence.instants import NEVER
from tasks.monitoring.evidence.label_parts import SourceLabels
from tasks.monitoring.evidence.label_versions import LabelVersions


def versions(store: Store, problem_name: str, folder: Path, known_at: str | None) -> LabelVersions:
    """Return the labels of a source with one row in order and one whose times are missing."""
    monitored = MonitoredProblem(store, problem_name, folder)
    times = pa.array([SINCE, None], pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {"flight": ["a", "b"], "late": [True, False], "scheduled_at": times, "landed_at": times}
    )
    (folder / "out").mkdir()
    part = write_table(
        Out(store, f"{problem_name}/runs/r1/out", folder / "out"), "departures", table
    )
    source = SourceSnapshot(
        generation=1,
        key=("flight",),
        cursor=None,
        event_time="scheduled_at",
        known_at=known_at,
        parts=(part,),
    )
    return SourceLabels(store, monitored.problem, source, folder / "scratch").versions(0)


def test_a_label_without_a_time_is_never_known(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    labels = versions(store, problem_name, tmp_path, known_at="landed_at")

    assert sorted(labels.known.tolist()) == [microseconds(SINCE), NEVER]


def test_nor_is_one_whose_event_time_and_horizon_would_say_when(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    """The horizon added to "never" must not come round to "always"."""
    labels = versions(store, problem_name, tmp_path, known_at=None)

    known, unknown = sorted(labels.known.tolist())
    assert unknown == NEVER
    assert known >= microseconds(SINCE)
    assert known < microseconds(datetime(2014, 1, 1, tzinfo=UTC))
