from pathlib import Path
from typing import Any

import pytest
from bundle_factory import make_bundle, make_keys

from bundle.documents import Contract
from bundle.model import Model
from bundle.reader import load
from tasks.evaluation import service


@pytest.fixture
def model(tmp_path: Path) -> Model:
    made = make_bundle(tmp_path / "bundle", "p", make_keys(tmp_path / "keys"))
    return load(made.folder, digest=made.digest)


def contract(**changes: Any) -> Contract:
    column = {"name": "x", "type": "number", "required": False, "nullable": True}
    given = {
        "problem": "p",
        "task": "regression",
        "columns": [column],
        "output": {"name": "y"},
    }
    columns = [column | entry for entry in changes.pop("columns", [{}])]
    return Contract.model_validate(given | {"columns": columns} | changes)


def test_a_bundle_at_its_limit_is_small_enough() -> None:
    assert service.check_size(100, 100).passed is True


def test_a_bundle_above_its_limit_is_refused() -> None:
    assert service.check_size(101, 100).passed is False


def test_a_fast_row_passes_and_a_slow_one_is_refused() -> None:
    assert service.check_latency(0.001, 0.02).passed is True
    assert service.check_latency(0.021, 0.02).passed is False


def test_a_latency_that_was_not_measured_is_not_let_in() -> None:
    assert service.check_latency(float("nan"), 0.02).passed is False


def test_the_verdict_does_not_hold_what_two_runs_measure_differently() -> None:
    assert service.check_latency(0.001, 0.02) == service.check_latency(0.002, 0.02)


def test_a_row_takes_some_time(model: Model) -> None:
    assert 0.0 < service.latency_seconds(model, calls=50) < 1.0


def test_golden_rows_are_named_with_their_count(model: Model) -> None:
    check = service.check_golden(model)

    assert (check.passed, check.found) == (True, len(model.golden.rows))


def test_the_same_contract_breaks_nobody() -> None:
    assert service.check_contract(contract(), contract()).passed is True


@pytest.mark.parametrize(
    "columns",
    [
        [{}, {"name": "optional"}],
        [{"type": "category"}],
        [{"name": "another"}],
    ],
)
def test_an_optional_column_a_wider_type_or_one_less_breaks_nobody(columns: list[Any]) -> None:
    assert service.check_contract(contract(columns=columns), contract()).passed is True


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ([{}, {"name": "new", "required": True}], "'new' is new and required"),
        ([{"type": "date"}], "'x' was a number and is a date"),
        ([{"required": True}], "'x' became required"),
        ([{"nullable": False}], "'x' may no longer be null"),
    ],
)
def test_what_breaks_a_caller_is_refused(columns: list[Any], sentence: str) -> None:
    check = service.check_contract(contract(columns=columns), contract())

    assert (check.passed, sentence in check.why) == (False, True)


def test_another_question_breaks_the_callers() -> None:
    other = contract(output={"name": "z"})

    assert service.check_contract(other, contract()).passed is False
