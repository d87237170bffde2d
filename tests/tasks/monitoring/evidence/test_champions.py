"""A served model reads labels as they are spelt everywhere, else they would not join."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from methods.columns.targets import label_text, label_texts
from tasks.monitoring.evidence.champions import MonitoredModel

CLASSES = {
    "booleans": (False, True),
    "whole numbers": (0, 1),
    "floats": (0.0, 1.0),
    "half": (0.5, 1.0),
    "texts": ("no", "yes"),
}


def served_model(classes: tuple[object, ...], task: str = "binary") -> MonitoredModel:
    """A model that was never in a store: only its contract is read."""
    model = object.__new__(MonitoredModel)
    contract = SimpleNamespace(task=task, classes=classes, positive=classes[-1])
    model.model = SimpleNamespace(contract=contract)  # type: ignore[assignment] # as said above
    return model


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_spelt_as_labels_are(name: str) -> None:
    classes = CLASSES[name]

    assert served_model(classes).classes == tuple(label_text(label) for label in classes)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_labels_of_a_column_of_the_classes_are_read(name: str, task: str) -> None:
    negative, positive = CLASSES[name]
    labels = label_texts(pa.chunked_array([pa.array([positive, negative, None])])).to_pylist()

    truth = served_model(CLASSES[name], task).truth(labels)

    assert truth.tolist()[:2] == [1.0, 0.0]
    assert np.isnan(truth[2])
