"""The whole gate on a real store, with small models whose answers are known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures_models import NOW, Prepared, dataset_of, problem_of
from pydantic import JsonValue

from bundle.documents import Card, MemberEntry, ModelDocument
from bundle.members import DenseSpec
from bundle.plans import EncoderDocument, EqualsPlan, NumberPlan
from bundle.writer import write
from contract.artifacts import Bundle
from contract.errors import Refused
from contract.store.documents import read_artifact
from contract.store.ledger import Ledger
from contract.verdict import Verdict
from methods.models.converters import dense_tensors
from tasks.evaluation.task import Inputs, Outputs, Params, run
from tasks.training.export import bundle_contract

pytestmark = pytest.mark.slow


def bundle_of(
    prepared: Prepared, strength: float, folder: Path, target: str = "late", task: str = "binary"
) -> Bundle:
    """A linear model of `size` and `flag`; strength 1 is what the rows were drawn by."""
    dataset = dataset_of(300, task)
    contract = bundle_contract(dataset.schema, problem_of(prepared.name, task))
    spec = DenseSpec(inputs=2, numeric=(0, 1), fill=(0.0, 0.0), center=(0.0, 0.0), scale=(1.0, 1.0))
    weights = strength * np.array([[1.4], [0.9]])
    member = dense_tensors(
        spec, [(weights, np.array([-0.6]))], "sigmoid" if task == "binary" else "identity"
    )
    profile: JsonValue = {}
    digest = write(
        folder,
        model=ModelDocument(
            members=(MemberEntry(file="members/m0.dense", weight=1.0, inputs=(0, 1)),),
            threshold=0.5 if task == "binary" else None,
        ),
        encoder=EncoderDocument(
            columns=(NumberPlan(column="size"), EqualsPlan(column="flag", one=60.0))
        ),
        members={"members/m0.dense": member},
        contract=contract.model_copy(
            update={"output": contract.output.model_copy(update={"name": target})}
        ),
        golden_rows=[{"size": 0.5, "flag": 60}, {}],
        profile=profile,
        card=Card(problem=prepared.name, run="r1", trained_at=NOW, rows=300, family="linear"),
    )
    return prepared.out("training").bundle(folder, digest)


def evaluate(prepared: Prepared, bundle: Bundle) -> tuple[Outputs, Verdict]:
    out = prepared.out("evaluation")
    found = run(Inputs(**prepared.given("assignment"), bundle=bundle), Params(), out)
    return found, read_artifact(prepared.store, found.verdict, Verdict)


@pytest.fixture
def prepared(prepare: Callable[..., Prepared]) -> Prepared:
    return prepare(rows=4000, gates={"slices": ["colour"], "minimum": {"roc_auc": 0.6}})


def test_the_first_model_passes_absolute_checks_and_the_verdict_says_so(
    prepared: Prepared, tmp_path: Path
) -> None:
    found, verdict = evaluate(prepared, bundle_of(prepared, 0.8, tmp_path / "a"))

    assert (found.outcome, verdict.rule, verdict.baseline) == ("accepted", "first", None)
    champion = next(check for check in verdict.checks if check.name == "champion")
    assert champion.why == "there is no champion yet: absolute checks only."


def test_a_better_challenger_is_promoted(prepared: Prepared, tmp_path: Path) -> None:
    champion = bundle_of(prepared, -0.1, tmp_path / "a")
    challenger = bundle_of(prepared, 0.8, tmp_path / "b")

    found, verdict = evaluate(prepared.with_champion(champion.digest), challenger)

    assert (found.outcome, verdict.baseline) == ("accepted", champion.digest)
    assert verdict.allows(challenger.digest)
    assert not verdict.allows(champion.digest)


def test_the_same_inputs_give_the_same_verdict(prepared: Prepared, tmp_path: Path) -> None:
    bundle = bundle_of(prepared, 0.8, tmp_path / "a")

    assert (
        evaluate(prepared, bundle)[0].verdict.sha256 == evaluate(prepared, bundle)[0].verdict.sha256
    )


def test_a_challenger_that_is_not_better_is_refused_and_the_ledger_knows(
    prepared: Prepared, tmp_path: Path
) -> None:
    champion = bundle_of(prepared, 0.8, tmp_path / "a")
    challenger = bundle_of(prepared, 0.7, tmp_path / "b")

    found, verdict = evaluate(prepared.with_champion(champion.digest), challenger)

    assert found.outcome == "refused"
    (entry,) = Ledger(prepared.store, prepared.name).entries()
    assert (entry.kind, entry.run, entry.digest, entry.previous) == (
        "refused",
        "r1",
        challenger.digest,
        champion.digest,
    )
    assert entry.reasons == verdict.reasons
    assert entry.reason.startswith("Decision not to promote: its gain over the champion")


def test_a_refusal_that_is_judged_twice_is_written_once(prepared: Prepared, tmp_path: Path) -> None:
    bundle = bundle_of(prepared, -0.8, tmp_path / "a")

    for _ in range(2):
        evaluate(prepared, bundle)

    assert len(Ledger(prepared.store, prepared.name).entries()) == 1


def test_a_champion_that_is_gone_refuses(prepared: Prepared, tmp_path: Path) -> None:
    found, verdict = evaluate(
        prepared.with_champion("0" * 64), bundle_of(prepared, 0.8, tmp_path / "a")
    )

    assert found.outcome == "refused"
    assert any("cannot be compared: the store has no" in reason for reason in verdict.reasons)


def test_a_champion_of_another_target_refuses(prepared: Prepared, tmp_path: Path) -> None:
    champion = bundle_of(prepared, 0.5, tmp_path / "a", target="flag")

    _, verdict = evaluate(
        prepared.with_champion(champion.digest), bundle_of(prepared, 0.8, tmp_path / "b")
    )

    assert any("answers another target" in reason for reason in verdict.reasons)


def test_a_bundle_that_was_changed_in_the_store_is_not_judged(
    prepared: Prepared, tmp_path: Path
) -> None:
    bundle = bundle_of(prepared, 0.8, tmp_path / "a")
    key = f"{prepared.store.key(bundle.uri)}/model.json"
    prepared.store.put(key, prepared.store.get(key).replace(b"0.5", b"0.6"))

    with pytest.raises(Refused, match=r"model\.json is not the file that the manifest lists"):
        evaluate(prepared, bundle)


def test_rows_without_labels_refuse(prepare: Callable[..., Prepared], tmp_path: Path) -> None:
    prepared = prepare(rows=400)
    unlabelled: dict[str, Any] = prepared.__dict__ | {"prepared": _without_vault_labels(prepared)}

    found, verdict = evaluate(Prepared(**unlabelled), bundle_of(prepared, 0.8, tmp_path / "a"))

    assert (found.outcome, verdict.rows, verdict.score) == ("refused", 0, None)
    assert verdict.reasons[0].startswith("the vault holds no labelled row")


def test_a_refresh_that_is_no_worse_is_promoted(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    prepared = prepare(rows=4000, gates={"beats": {"champion": {"margin": 0.01}}})
    champion = bundle_of(prepared, 0.8, tmp_path / "a")
    challenger = bundle_of(prepared, 0.81, tmp_path / "b")

    found, verdict = evaluate(prepared.with_champion(champion.digest, reason="age"), challenger)

    assert (found.outcome, verdict.rule) == ("accepted", "non-inferior")


def test_a_problem_may_leave_the_dummy_out(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    prepared = prepare(gates={"beats": {"dummy": False}})

    found, verdict = evaluate(prepared, bundle_of(prepared, 0.8, tmp_path / "a"))

    assert found.outcome == "accepted"
    assert "dummy" not in [check.name for check in verdict.checks]


def test_a_regression_has_no_probabilities_to_calibrate(
    prepare: Callable[..., Prepared], tmp_path: Path
) -> None:
    prepared = prepare(task="regression")
    bundle = bundle_of(prepared, 3.0, tmp_path / "a", target="cost", task="regression")

    _, verdict = evaluate(prepared, bundle)

    assert verdict.metric == "rmse"
    assert "calibration" not in [check.name for check in verdict.checks]


def _without_vault_labels(prepared: Prepared) -> object:
    import pyarrow as pa

    from methods.tables.parquet import read_table, write_table

    table = read_table(prepared.store, prepared.prepared)
    labels = table["late"].to_pylist()
    cut = int(0.85 * len(labels))
    column = pa.array([label if i < cut else None for i, label in enumerate(labels)], pa.bool_())
    place = table.column_names.index("late")
    return write_table(
        prepared.out("preprocessing"), "unlabelled", table.set_column(place, "late", column)
    )
