"""Linear models and perceptrons of scikit-learn, fitted on the reader's own expansion."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bundle import Dense, DenseSpec, expand
from methods.models.converters import dense_tensors

SPEC = DenseSpec(
    inputs=3,
    numeric=(0, 1),
    fill=(0.5, 2.0),
    center=(0.1, 0.0),
    scale=(2.0, 0.5),
    missing=(0,),
    onehot=((2, 6),),
)
RANDOM = np.random.default_rng(0)
ROWS = np.column_stack(
    [
        np.where(RANDOM.random(400) < 0.1, np.nan, RANDOM.normal(size=400)),
        RANDOM.normal(size=400) * 5,
        RANDOM.choice([0, 1, 2, 3, 4, 5, 6, -1, np.nan], 400),
    ]
)
VIEW = expand(ROWS, SPEC)
SIGNAL = np.nan_to_num(ROWS[:, 0]) + ROWS[:, 1] / 5


@pytest.mark.parametrize("kind", [Ridge, ElasticNet])
def test_a_linear_value_agrees(kind: Any) -> None:
    model = kind(alpha=0.01).fit(VIEW, SIGNAL)
    layer = (model.coef_.reshape(-1, 1), np.atleast_1d(model.intercept_))

    found = Dense(dense_tensors(SPEC, [layer], "identity")).batch(ROWS)

    assert found[:, 0] == pytest.approx(model.predict(VIEW), rel=1e-12, abs=1e-12)


def test_a_logistic_probability_agrees() -> None:
    model = LogisticRegression().fit(VIEW, SIGNAL > 0)
    layer = (model.coef_.T, model.intercept_)

    found = Dense(dense_tensors(SPEC, [layer], "sigmoid")).batch(ROWS)

    assert found[:, 0] == pytest.approx(model.predict_proba(VIEW)[:, 1], abs=1e-12)


def test_logistic_probabilities_of_classes_agree() -> None:
    model = LogisticRegression().fit(VIEW, np.digitize(SIGNAL, [-0.5, 0.5]))
    layer = (model.coef_.T, model.intercept_)

    found = Dense(dense_tensors(SPEC, [layer], "softmax")).batch(ROWS)

    assert found == pytest.approx(model.predict_proba(VIEW), abs=1e-12)


@pytest.mark.parametrize(("kind", "link"), [(MLPClassifier, "softmax"), (MLPRegressor, "identity")])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # 3 epochs suffice
def test_a_perceptron_agrees(kind: Any, link: Any) -> None:
    truth = np.digitize(SIGNAL, [-0.5, 0.5]) if kind is MLPClassifier else SIGNAL
    model = kind(hidden_layer_sizes=(16, 8), max_iter=3, random_state=0).fit(VIEW, truth)
    native = model.predict_proba(VIEW) if kind is MLPClassifier else model.predict(VIEW)
    layers = list(zip(model.coefs_, model.intercepts_, strict=True))

    found = Dense(dense_tensors(SPEC, layers, link)).batch(ROWS)

    assert found == pytest.approx(native.reshape(found.shape), abs=1e-12)
