import numpy as np
import pytest

from rehearsal.truth import entropy, temperature_for, tempered


@pytest.mark.parametrize("loss", [0.3, 0.45, 0.6])
def test_tempered_probabilities_are_as_uncertain_as_the_loss_says(loss: float) -> None:
    positive = np.random.default_rng(0).beta(0.3, 0.3, 2_000)
    chances = np.column_stack([1 - positive, positive])

    assert entropy(tempered(chances, temperature_for(chances, loss))) == pytest.approx(
        loss, abs=1e-3
    )


def test_probabilities_are_never_sharpened() -> None:
    chances = np.full((10, 2), 0.5)

    assert temperature_for(chances, 0.1) == 1.0
