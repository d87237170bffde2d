from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures_models import NOW, Prepared, dataset_of, problem_of, run_of

from bundle import signing
from bundle.reader import load
from bundle.remote import fetch
from contract.errors import InvalidRequest
from methods.drift.profile import ReferenceProfile
from methods.models.encoders.column import EncodingSettings
from methods.models.families import PlannedMember, TrainingPlan
from methods.models.fitting import FittedPlan, fit_plan
from methods.models.metrics import metric_named
from methods.split.weights import TrainingWindow
from tasks.training.export import bundle_contract, export, model_card
from tasks.training.hold_out import HoldOut, score_hold_out
from tasks.training.task import KEY_VARIABLE, Inputs, Params, read_signing_key, run

KEY = signing.new_key()
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
CLASSES = {"binary": ("false", "true"), "multiclass": ("low", "mid", "top"), "regression": ()}


def plan(task: str = "binary") -> TrainingPlan:
    members = (
        PlannedMember(
            family="boosting",
            settings={
                "learning_rate": 0.1,
                "leaves": 8,
                "leaf_rows": 10,
                "column_share": 0.8,
                "row_share": 0.9,
                "penalty": 0.1,
                "extra_trees": False,
            },
            iterations=20,
            seed=1,
            weight=0.75,
        ),
        PlannedMember(
            family="linear", settings={"penalty": 1.0}, iterations=0, seed=1, weight=0.25
        ),
    )
    return TrainingPlan(
        task=task,  # type: ignore[arg-type] # one of the three
        classes=CLASSES[task],
        metric=METRICS[task],
        members=members,
        encoding=EncodingSettings(),
        window=TrainingWindow(half_life_days=60.0),
        calibration="none" if task == "regression" else "platt",
        threshold=0.5 if task == "binary" else None,
        rows=420,
        seed=1,
        score=0.7,
    )


def hold_out_and_refitted(task: str) -> tuple[HoldOut, FittedPlan]:
    dataset, made = dataset_of(600, task), plan(task)
    before = fit_plan(made, dataset, dataset.rows("train"), None)
    hold_out = score_hold_out(
        made, before, dataset, dataset.rows("validation"), problem_of("p", task), forward=True
    )
    rows = dataset.rows("train", "validation")
    return hold_out, fit_plan(made, dataset, rows, dataset.weights(rows, NOW, made.window))


def written(folder: Path, task: str) -> str:
    hold_out, refitted = hold_out_and_refitted(task)
    dataset = dataset_of(600, task)
    return export(
        folder,
        plan=plan(task),
        refitted=refitted,
        decision=hold_out.decision,
        profile=hold_out.profile,
        table=dataset.take(dataset.rows("train", "validation")),
        contract=bundle_contract(dataset.schema, problem_of("p", task)),
        card=model_card(plan(task), hold_out, run_of("p"), 510, NOW, forward=True),
        signing_key=KEY,
    )


@pytest.mark.parametrize("task", METRICS)
def test_the_bundle_reads_back_and_predicts(tmp_path: Path, task: str) -> None:
    digest = written(tmp_path, task)

    model = load(tmp_path, digest=digest, keys=[signing.public_pem(KEY)])
    scores = model.batch(dataset_of(600, task).take(np.arange(510, 600)))

    assert scores.shape == ((90, 3) if task == "multiclass" else (90,))
    truth = dataset_of(600, task).truth[510:]
    metric = metric_named(METRICS[task], task)  # type: ignore[arg-type] # one of the three
    dummy = np.full_like(scores, 1.0 / 3.0) if task != "regression" else np.full(90, truth.mean())
    assert metric.gain(metric.score(truth, scores), metric.score(truth, dummy)) > 0.05


def test_the_same_plan_gives_the_same_bundle(tmp_path: Path) -> None:
    digests = {written(tmp_path / name, "binary") for name in ("a", "b")}

    assert len(digests) == 1


def test_held_out_scores_come_from_before_the_refit() -> None:
    """The refitted model has seen validation; its scores there would be better."""
    hold_out, refitted = hold_out_and_refitted("regression")
    dataset = dataset_of(600, "regression")
    rows = dataset.rows("validation")
    rmse = metric_named("rmse", "regression")

    of_refitted = rmse.score(hold_out.truth, refitted.predict(dataset.take(rows)))

    assert hold_out.metrics["rmse"] > of_refitted


def test_the_reference_profile_counts_the_held_out_rows() -> None:
    hold_out, _ = hold_out_and_refitted("binary")

    profile = ReferenceProfile.model_validate(hold_out.profile)

    assert profile.rows == 90
    assert sum(block.rows for block in profile.forward) == 90
    assert sum(column.importance for column in profile.columns.values()) == pytest.approx(1.0)


def test_only_a_declared_range_is_a_limit() -> None:
    schema = dataset_of(100).schema
    problem = problem_of("p", columns={"size": {"range": [-9.0, 9.0]}})

    columns = {column.name: column for column in bundle_contract(schema, problem).columns}

    assert (columns["size"].low, columns["size"].high) == (-9.0, 9.0)
    assert (columns["ratio"].low, columns["ratio"].high) == (None, None)


def test_a_column_that_rows_lacked_may_be_left_out() -> None:
    columns = {
        column.name: (column.required, column.nullable)
        for column in bundle_contract(dataset_of(300).schema, problem_of("p")).columns
    }

    assert columns["size"] == (False, True)
    assert columns["ratio"] == (True, False)


@pytest.mark.slow
def test_the_stage_writes_a_signed_bundle(
    prepare: Callable[..., Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = prepare(rows=600)
    (tmp_path / "key.pem").write_bytes(KEY)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key.pem"))
    stored = made.out("tuning").document("plan", plan())

    found = run(
        Inputs(**made.given("schema", "assignment"), plan=stored), Params(), made.out("training")
    )

    folder = fetch(made.store, made.name, found.digest, tmp_path / "cache")
    model = load(folder, digest=found.digest, keys=[signing.public_pem(KEY)])
    assert (model.card.run, model.card.rows, found.size) == ("r1", 600, found.bundle.bytes)


def test_no_bundle_is_made_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(InvalidRequest, match="PERENNIAL_SIGNING_KEY is not set"):
        read_signing_key()
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "absent.pem"))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_signing_key()
