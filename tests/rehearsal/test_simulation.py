"""Days through the real stages: slow, since a first model is made and every day is decided."""

from pathlib import Path

import pytest

from benchmarks.monitoring.worlds import BEGIN, SCENARIOS, MadeUpWorld, problem
from contract.rehearsal import RehearsalRequest, RehearsalResult
from contract.store.ledger import Ledger
from methods.tables.snapshot import LOAD
from rehearsal.rehearse import policy_of, rehearse
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.simulation import RehearsalPlan, Simulation

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ROWS, HISTORY = 300, 30
MODELS = {"budget": "1s", "candidates": ["boosting"]}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulation sets variables; they are put back after each test."""
    for name in ("PROBLEMS", "BUCKET", "SIGNING_KEY", "VERIFY_KEYS", "API_KEY"):
        monkeypatch.setenv(f"PERENNIAL_{name}", "")


def simulation(folder: Path, days: int, scenario: str = "stationary", **plan: object) -> Simulation:
    world = MadeUpWorld(SCENARIOS[scenario], ROWS, 0)
    made = RehearsalPlan(problem(models=MODELS), BEGIN, days, HISTORY, **plan)  # type: ignore[arg-type] # further settings
    return Simulation(folder, made, world)


def without_cost(records: list[RehearsedDay]) -> list[RehearsedDay]:
    return [record.model_copy(update={"cpu_seconds": 0.0, "digest": None}) for record in records]


def test_days_are_answered_decided_and_taken_up_again(tmp_path: Path) -> None:
    whole = simulation(tmp_path / "whole", 7)
    assert len(list(whole.run())) == 7

    first = simulation(tmp_path / "parts", 3)
    assert len(list(first.run())) == 3
    again = simulation(tmp_path / "parts", 7)
    assert [record.number for record in again.run()] == [3, 4, 5, 6]

    assert without_cost(again.records) == without_cost(whole.records)
    assert {record.rows for record in whole.records} == {ROWS}
    assert all(record.verdict for record in whole.records)
    assert whole.records[-1].change is not None  # labels have landed, and a loss was measured
    assert [entry.kind for entry in Ledger(whole.store, "world").entries()] == ["deployed"]


def test_a_retraining_by_the_calendar_needs_no_verdict(tmp_path: Path) -> None:
    run = simulation(tmp_path, 4, every=2)

    records = list(run.run())

    assert [record.run is not None for record in records] == [False, True, False, True]
    assert len({record.digest for record in records}) > 1  # another model answers after the first
    assert [record.verdict for record in records] == [None] * 4


def test_a_users_problem_is_rehearsed_to_a_page(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    world = MadeUpWorld(SCENARIOS["stationary"], ROWS, 1)
    landed = [world.day(number).landings["visits"].table for number in range(-HISTORY, 0)]
    table = pa.concat_tables(landed)
    place = tmp_path / "landed" / "visits"
    place.mkdir(parents=True)
    load = pa.array(["00000001/a"] * table.num_rows)
    pq.write_table(table.append_column(LOAD, load), place / "00000001.parquet")
    request = RehearsalRequest(
        problem=problem(
            models=MODELS, metric={"value": {"true_positive": 10, "false_positive": -4}}
        ),
        suite=str(tmp_path / "none.json"),
        landed=str(tmp_path / "landed"),
        until="2024-02-01T00:00:00Z",  # type: ignore[arg-type] # as JSON
        scenario="feed-unit",
        days=16,
        history=30,
        budget="1s",
    )
    folder = tmp_path / "rehearsal"
    folder.mkdir()

    lines = list(rehearse(request, folder))
    result = RehearsalResult.model_validate_json((folder / "result.json").read_text("utf-8"))

    assert len(lines) == result.days == 16
    assert result.verdicts["blocked_data_quality"] == 2  # days 14 and 15
    assert any(fault.startswith(("unit", "out_of_range")) for fault in result.faults)
    assert result.value is not None
    assert result.best_loss is not None
    assert "feed-unit" in (folder / "page.html").read_text("utf-8")
    assert policy_of({"probe_gain": 0.5}).probe_gain == 0.5
