from typing import get_args

import numpy as np
import pytest
from fixtures_models import dataset_of

from bundle.members import read_member
from contract.problem.model import Candidate
from methods.models.dataset import shape_of
from methods.models.encoders.column import EncodingSettings
from methods.models.encoding import fit_encoding
from methods.models.families import FAMILIES, EncodedRows, FitLimits, Shape
from methods.models.metrics import metric_named

SETTINGS = EncodingSettings()
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def parts(task: str, rows: int = 900) -> tuple[Shape, EncodedRows, EncodedRows]:
    dataset = dataset_of(rows, task)
    train, others = dataset.rows("train"), dataset.rows("validation")
    encoding, encoded = fit_encoding(
        dataset.schema, dataset.take(train), dataset.truth[train], SETTINGS, 0
    )
    shape = shape_of(dataset.schema, encoding.outputs, metric_named(METRIC[task], task))  # type: ignore[arg-type] # one of the three
    validation = EncodedRows(encoding.encode(dataset.take(others)), dataset.truth[others])
    return shape, EncodedRows(encoded, dataset.truth[train]), validation


def test_the_problem_file_names_every_family() -> None:
    assert {*get_args(Candidate)} == FAMILIES.keys() - {"dummy"} | {"ensemble"}


@pytest.mark.parametrize("task", METRIC)
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "dummy"])
def test_every_family_beats_the_dummy(name: str, task: str) -> None:
    shape, train, validation = parts(task)
    metric = metric_named(METRIC[task], task)  # type: ignore[arg-type] # one of the three

    scores = [
        metric.score(
            validation.truth,
            FAMILIES[one]
            .fit(
                shape,
                train,
                FAMILIES[one].defaults(shape),
                FitLimits(seed=0, validation=validation),
            )
            .predict(validation.encoded),
        )
        for one in (name, "dummy")
    ]

    assert metric.gain(*scores) > 0.05


@pytest.mark.parametrize("task", METRIC)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_member_answers_as_the_model_does(name: str, task: str) -> None:
    shape, train, validation = parts(task, 500)
    family = FAMILIES[name]
    fitted = family.fit(shape, train, family.defaults(shape), FitLimits(seed=0, iterations=10))

    found = read_member(fitted.tensors()).batch(validation.encoded)

    expected = fitted.predict(validation.encoded).reshape(found.shape)
    assert np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))) <= 1e-12


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_seed_and_iterations_repeat_a_model(name: str) -> None:
    """What a watched fit reached, fitted again without a watch or a clock, is the same model."""
    shape, train, validation = parts("binary", 500)
    family = FAMILIES[name]
    first = family.fit(
        shape,
        train,
        family.defaults(shape),
        FitLimits(seed=1, cap_seconds=60.0, validation=validation),
    )

    effort = FitLimits(seed=1, iterations=first.iterations or None)
    again = family.fit(shape, train, first.settings, effort)

    assert np.array_equal(first.predict(validation.encoded), again.predict(validation.encoded))


@pytest.mark.parametrize("name", ["boosting", "forest", "neural", "linear"])
def test_a_fit_stops_at_its_cap(name: str) -> None:
    shape, train, validation = parts("binary", 3000)
    family = FAMILIES[name]
    settings = family.defaults(shape)

    whole = family.fit(shape, train, settings, FitLimits(seed=0, validation=validation))
    stopped = family.fit(shape, train, settings, FitLimits(seed=0, cap_seconds=0.0))

    assert 0 < stopped.iterations < whole.iterations
    assert np.isfinite(stopped.predict(validation.encoded)).all()


def test_a_forest_stays_within_the_nodes_of_a_member() -> None:
    from bundle.limits import NODES_OF_A_MEMBER

    random = np.random.default_rng(0)
    shape = Shape("regression", 0, parts("regression", 200)[0].inputs[:1], "rmse")
    train = EncodedRows(random.normal(size=(12_000, 1)), random.normal(size=12_000))
    family = FAMILIES["forest"]

    fitted = family.fit(shape, train, family.defaults(shape) | {"leaf_rows": 1}, FitLimits(seed=0))

    assert len(fitted.tensors().arrays["nodes"]) <= NODES_OF_A_MEMBER


def test_extra_trees_use_a_column_of_two_values() -> None:
    """The trap: coded 36 and 60 the column is never split; coded 0 and 1 it is."""
    shape, train, validation = parts("binary")
    position = [output.column for output in shape.inputs].index("flag")
    family = FAMILIES["boosting"]

    fitted = family.fit(
        shape,
        train,
        family.defaults(shape) | {"extra_trees": True},
        FitLimits(seed=0, iterations=50),
    )

    flipped = validation.encoded.copy()
    flipped[:, position] = 1.0 - flipped[:, position]
    assert np.abs(fitted.predict(flipped) - fitted.predict(validation.encoded)).max() > 0.05


def test_a_class_without_a_row_is_all_but_impossible() -> None:
    shape, train, validation = parts("multiclass", 500)
    some = train.truth != 1.0
    part = EncodedRows(train.encoded[some], train.truth[some])

    found = {
        name: family.fit(shape, part, family.defaults(shape), FitLimits(seed=0, iterations=10))
        .predict(validation.encoded)[:, 1]
        .max()
        for name, family in FAMILIES.items()
        if name != "neural"  # its output for that class is whatever was drawn at its start
    }

    assert max(found.values()) < 0.05
