"""From a change to a verdict: training answers it, and the gate judges the answer forward."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fixtures_change import changing, small_plan
from fixtures_models import NOW, START, Prepared, people, run_of, schema_of
from store_documents import put_manifest

from bundle import signing
from bundle.remote import read_model
from contract.champion import Champion
from contract.recipe import Recipe
from contract.run import Replay
from contract.store.documents import read_artifact
from contract.store.layout import ManifestKey
from contract.verdict import Verdict
from methods.tables.parquet import read_table, write_table
from tasks.evaluation.task import Inputs as Judged
from tasks.evaluation.task import Outputs as VerdictOutputs
from tasks.evaluation.task import Params as NoParams
from tasks.evaluation.task import run as evaluate
from tasks.training.task import KEY_VARIABLE, Inputs, Outputs, Params, run

pytestmark = pytest.mark.slow
KEY = signing.new_key()
DAYS, ROWS, CHANGE = 40, 300, 34


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.pem").write_bytes(KEY)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key.pem"))


def cut(days: int, vault_from: int) -> pa.Table:
    """By day: the vault from `vault_from` on, validation the six days before it."""
    day = np.repeat(np.arange(days), ROWS)
    part = np.select([day >= vault_from, day >= vault_from - 6], ["vault", "validation"], "train")
    return pa.table(
        {
            "row": pa.array(np.arange(len(day)), pa.int64()),
            "part": pa.array(part.tolist()),
            "block": pa.array(day.astype(np.int32)),
            "fold": pa.array(np.where(part == "train", day % 3, -1).astype(np.int8)),
        }
    )


def stage(given: Prepared, table: pa.Table, days: int, vault_from: int, **of_run: Any) -> Prepared:
    rows = table.slice(0, days * ROWS)
    made = {
        "prepared": write_table(given.out("preprocessing"), "prepared", rows),
        "schema": given.out("preprocessing").document("schema", schema_of(rows, "binary")),
        "assignment": write_table(given.out("split"), "assignment", cut(days, vault_from)),
        "run": given.out("problem").document("run", run_of(given.name).model_copy(update=of_run)),
    }
    return Prepared(**(given.__dict__ | made))


def train(given: Prepared) -> Outputs:
    plan = given.out("tuning").document("plan", small_plan())
    return run(
        Inputs(**given.given("schema", "assignment"), plan=plan), Params(), given.out("training")
    )


def judge(given: Prepared, made: Outputs) -> tuple[VerdictOutputs, Verdict]:
    found = evaluate(
        Judged(
            **given.given("assignment"),
            bundle=made.bundle,
            twin=made.twin,
            forward=made.forward,
            recipe=made.recipe,
        ),
        NoParams(),
        given.out("evaluation"),
    )
    return found, read_artifact(given.store, found.verdict, Verdict)


def deploy(given: Prepared, made: Outputs, vault_from: int) -> Champion:
    """Write what the run of a champion leaves behind."""
    key = ManifestKey(given.name, "r0", "training")
    facts = {"learnt_until": made.learnt_until, "twin_learnt_until": made.twin_learnt_until}
    outputs = {"twin": made.twin, "recipe": made.recipe}
    put_manifest(given.store, key, outputs=outputs, facts=facts)
    begin = int((START + timedelta(days=vault_from)).timestamp() * 1e6)
    put_manifest(given.store, ManifestKey(given.name, "r0", "split"), facts={"vault_from": begin})
    return Champion(digest=made.digest, run="r0", verdict=None, since=NOW, nonce="n")


def after_a_change(prepare: Callable[..., Prepared], **change: float) -> tuple[Prepared, Outputs]:
    """A champion of the days before a change, and the run that monitoring asks for after it."""
    given = prepare(rows=400, gates={"beats": {"dummy": False}})
    table = changing(DAYS, ROWS, CHANGE, **change)  # type: ignore[arg-type] # numbers
    first = stage(given, table, CHANGE, CHANGE - 5)
    champion = deploy(first, train(first), CHANGE - 5)
    replay = Replay(
        run="r0", leaderboard=given.schema, plan=given.schema
    )  # only that it is one counts
    again = stage(
        given,
        table,
        DAYS,
        CHANGE,
        champion=champion,
        reason="performance",
        replay=replay,
        onset=(START + timedelta(days=CHANGE)).date(),
    )
    return again, train(again)


def test_a_moved_base_rate_is_answered_by_the_same_members_and_accepted(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    given, made = after_a_change(prepare, base_rate=1.5)

    found, verdict = judge(given, made)

    assert verdict.reasons == ()
    assert (made.answer, found.outcome, verdict.answer) == (
        "recalibration",
        "accepted",
        "recalibration",
    )
    assert verdict.recovered is not None
    assert verdict.recovered > 0.5
    # The same members rank the rows of each day as before, whatever the days' own probabilities.
    assert verdict.yardstick is not None
    assert (verdict.yardstick.name, verdict.yardstick.gain) == ("roc_auc", 0.0)
    model = read_model(given.store, given.name, made.digest, tmp_path / "m")
    assert "recalibrated" in model.card.family


def test_a_changed_effect_is_answered_by_a_refit_on_the_new_rows_and_accepted(
    prepare: Callable[..., Prepared],
) -> None:
    given, made = after_a_change(prepare, concept=1.4)

    found, verdict = judge(given, made)

    recipe = read_artifact(given.store, made.recipe, Recipe)
    assert (made.answer, found.outcome) == ("refit", "accepted"), verdict.reasons
    assert recipe.since == int((START + timedelta(days=CHANGE)).timestamp() * 1e6)
    assert [one.answer for one in recipe.tried] == ["recalibration", "refit"]
    assert (verdict.judged, verdict.twin) == (made.bundle.digest, made.twin.digest)
    assert verdict.allows(made.bundle.digest)
    assert not verdict.allows(made.twin.digest)


def test_what_ships_has_learnt_the_judged_rows_and_its_twin_has_not(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    given, made = after_a_change(prepare, concept=1.4)

    assert made.learnt_until is not None
    assert made.twin_learnt_until is not None
    assert made.twin_learnt_until < made.learnt_until
    scores = read_table(given.store, made.forward)
    newest = scores.filter(pa.compute.equal(scores["step"], pa.compute.max(scores["step"])))
    twin = read_model(given.store, given.name, made.twin.digest, tmp_path / "m")
    rows = read_table(given.store, given.prepared).take(newest["row"])
    assert twin.batch(rows) == pytest.approx(newest["score"].to_numpy(), abs=1e-12)


def test_on_rows_that_the_champion_has_learnt_its_twin_stands_in(
    prepare: Callable[..., Prepared],
) -> None:
    """The next run comes before three new days: rows of the champion's own vault judge as well."""
    given = prepare(rows=400, gates={"beats": {"dummy": False}})
    table = changing(DAYS, ROWS, DAYS)
    first = stage(given, table, CHANGE, CHANGE - 5)
    of_first = train(first)
    champion = deploy(first, of_first, CHANGE - 5)
    again = stage(given, table, CHANGE + 1, CHANGE - 1, champion=champion, reason="age")

    _, verdict = judge(again, train(again))

    assert verdict.stand_in == of_first.twin.digest
    assert verdict.stand_in_rows == ROWS
    assert any("its own judged twin" in check.why for check in verdict.checks)


def test_without_a_time_the_twin_is_judged_on_the_vault_and_all_rows_ship(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    given = prepare(rows=4_000, split={"by": "hash"})
    plan = small_plan(rows=2_800)
    stored = given.out("tuning").document("plan", plan)
    made = run(
        Inputs(**given.given("schema", "assignment"), plan=stored), Params(), given.out("training")
    )

    found, verdict = judge(given, made)

    assert found.outcome == "accepted", verdict.reasons
    rows = {
        name: read_model(given.store, given.name, digest, tmp_path / name).card.rows
        for name, digest in (("shipped", made.digest), ("twin", made.twin.digest))
    }
    assert rows == {"shipped": 4_000, "twin": 3_400}
    assert made.learnt_until is None


def test_a_model_that_differs_from_its_twin_is_refused(prepare: Callable[..., Prepared]) -> None:
    given, made = after_a_change(prepare, concept=1.4)
    other = train(stage(given, people(DAYS * ROWS), DAYS, CHANGE))

    _, verdict = judge(given, made.model_copy(update={"bundle": other.bundle}))

    refused = {check.name for check in verdict.checks if check.passed is not True}
    assert "agreement" in refused


def test_scores_that_the_twin_does_not_give_are_refused(prepare: Callable[..., Prepared]) -> None:
    given, made = after_a_change(prepare, concept=1.4)

    _, verdict = judge(given, made.model_copy(update={"twin": made.bundle}))

    refused = {check.name for check in verdict.checks if check.passed is not True}
    assert "twin" in refused
