"""The stage from snapshot to tables: what it makes, and for which source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fixtures_stages import Before, before

from contract.errors import Refused
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from tasks.validation.task import Inputs, Outputs, Params, run

__all__ = ["before"]

SOURCES = {
    "rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"},
    "weather": {"kind": "files", "path": "w.csv", "key": ["seen"], "event_time": "seen"},
}
JOIN = {"join": {"weather": {"on": ["place"], "as_of": "at"}}}


def validated(stage: Before, suite: list[dict[str, Any]], **tables: pa.Table) -> Outputs:
    sources = {}
    for name, table in tables.items():
        loaded = table.append_column(LOAD, pa.array(["00000001/x"] * table.num_rows))
        declared = stage.problem.source[name]
        sources[name] = SourceSnapshot(
            generation=1,
            key=declared.key,
            cursor=None,
            event_time=declared.event_time,
            known_at=None,
            parts=(stage.table(name, loaded),),
        )
    out = stage.out("validation")
    inputs = Inputs(
        **stage.documents(),
        snapshot=out.document("snapshot", Snapshot(sources=sources)),
        expectations=out.document("suite", {"name": "s", "expectations": suite}),
    )
    return run(inputs, Params(), out)


def times(count: int) -> pa.Array:
    return pa.array([i * 3_600_000_000 for i in range(count)], pa.timestamp("us", "UTC"))


def main(count: int = 200) -> pa.Table:
    y = ["a", "b"] * (count // 2)
    return pa.table({"id": range(count), "at": times(count), "place": ["A"] * count, "y": y})


def weather() -> pa.Table:
    temp = [200.0, *([10.0] * 199)]
    return pa.table({"seen": times(200), "place": ["A"] * 200, "temp": temp})


def test_each_source_has_its_clean_rows_and_those_set_aside(
    before: Callable[..., Before],
) -> None:
    stage = before(source=SOURCES, features=JOIN, columns={"temp": {"range": [-50, 60]}})

    made = validated(stage, [], rows=main(), weather=weather())

    assert (200, 199) == tuple(stage.read(made.tables[n]).num_rows for n in ("rows", "weather"))
    assert {"weather"} == set(made.quarantine)
    assert (made.rows, made.quarantined) == (400, 1)
    assert ["id", "at", "place", "y"] == stage.read(made.tables["rows"]).column_names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_expectation_is_of_the_source_that_its_meta_names(
    before: Callable[..., Before],
) -> None:
    suite = [
        {
            "type": "expect_column_max_to_be_between",
            "kwargs": {"column": "temp", "max_value": 60},
            "severity": "critical",
            "meta": {"source": "weather"},
        }
    ]

    with pytest.raises(Refused, match=r"source 'weather' fails 1 critical check: temp: max"):
        validated(before(source=SOURCES, features=JOIN), suite, rows=main(), weather=weather())


def test_the_same_snapshot_gives_the_same_bytes(before: Callable[..., Before]) -> None:
    stage = before(source={"rows": SOURCES["rows"]})

    assert validated(stage, [], rows=main()) == validated(stage, [], rows=main())


def test_the_page_says_why_rows_were_set_aside(
    before: Callable[..., Before], tmp_path: Path
) -> None:
    twice = pa.concat_tables([main(), main().slice(0, 1)])
    stage = before(source={"rows": SOURCES["rows"]})

    page = stage.store.read(validated(stage, [], rows=twice).page).decode()

    (tmp_path / "page.html").write_text(page)
    assert "the key stands twice in one load" in page
