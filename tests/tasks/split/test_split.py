"""The split stage: parts on real tables, and the serving model's cut that holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from fixtures_stages import Before, champion

from contract.canonical_json import canonical_json
from contract.errors import Refused
from contract.facts import format_fact
from contract.manifest import Manifest
from tasks.split.task import Inputs, Outputs, Params, run

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMED = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}


def rows(days: range) -> pa.Table:
    return pa.table(
        {
            "id": [f"r{i}" for i in days],
            "at": pa.array([START + timedelta(days=i) for i in days], pa.timestamp("us", "UTC")),
            "y": [["no", "yes", "no"][i % 3] for i in days],
        }
    )


def split(before: Before, table: pa.Table, served_by: str | None = None) -> Outputs:
    documents = before.documents(champion=champion(served_by) if served_by else None)
    inputs = Inputs(**documents, prepared=before.table("prepared", table))
    return run(inputs, Params(), before.out("split"))


def parts(before: Before, made: Outputs, table: pa.Table) -> dict[str, str]:
    found = before.read(made.assignment)
    return dict(zip(table["id"].to_pylist(), found["part"].to_pylist(), strict=True))


def remember(before: Before, run_id: str, made: Outputs) -> None:
    """Write the manifest of an earlier run's split, as its task did."""
    manifest = Manifest(
        task="split",
        problem=before.problem.name,
        run=run_id,
        code="0" * 64,
        inputs={},
        params={},
        outputs={},
        facts={"vault_from": made.vault_from},
        outcome="made",
        started=START,
        seconds=0,
        cpu_seconds=0,
    )
    key = f"{before.problem.name}/runs/{run_id}/split/manifest.json"
    before.store.put(key, canonical_json(manifest.model_dump(mode="json")))


def test_the_page_says_in_utc_when_each_part_begins(before: Callable[..., Before]) -> None:
    ground = before(source=TIMED)
    made = split(ground, rows(range(320)))

    page = ground.store.read(made.page).decode()

    assert ">2026-01-01 00:00 UTC<" in page
    assert made.vault_from is not None
    assert f">{format_fact('vault_from', made.vault_from)}<" in page


def test_each_part_has_its_rows_and_its_mean(before: Callable[..., Before]) -> None:
    made = split(before(source=TIMED), rows(range(300)))

    assert (made.train, made.validation, made.vault) == (217, 38, 45)
    assert made.target_mean["vault"] == pytest.approx(1 / 3)


def test_late_rows_do_not_draw_training_rows_into_the_vault(before: Callable[..., Before]) -> None:
    """Rows of the past come late, so that the newest 15 % reach further back."""
    stage = before(source=TIMED)
    early = rows(range(100, 300))
    first = split(stage, early)
    remember(stage, "r0", first)
    grown = rows(range(320))

    second = split(stage, grown, served_by="r0")

    then, now = parts(stage, first, early), parts(stage, second, grown)
    assert not [k for k, part in then.items() if part != "vault" and now[k] == "vault"]
    assert second.vault_from is not None
    assert first.vault_from is not None
    assert second.vault_from >= first.vault_from


def test_a_champion_whose_split_is_gone_is_refused(before: Callable[..., Before]) -> None:
    with pytest.raises(Refused, match="nobody knows which rows it has learned from"):
        split(before(source=TIMED), rows(range(300)), served_by="lost")


def test_by_hash_a_row_keeps_its_part_in_the_next_run(before: Callable[..., Before]) -> None:
    stage = before()
    early, grown = rows(range(300)), rows(range(600))

    then = parts(stage, split(stage, early), early)
    now = parts(stage, split(stage, grown), grown)

    assert then == {key: now[key] for key in then}


def test_a_class_too_rare_is_refused(before: Callable[..., Before]) -> None:
    table = rows(range(300))
    rare = ["yes" if i < 2 else "no" for i in range(300)]

    with pytest.raises(Refused, match="'yes' has 2 rows"):
        split(before(), table.set_column(2, "y", pa.array(rare)))
