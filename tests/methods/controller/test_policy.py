"""The policy: one frozen value, each threshold with its unit, its domain and a reason."""

import re

import pytest
from pydantic import ValidationError

from contract.strict import Strict
from docs.generate.policy import meanings
from methods.controller.alert_limits import AlertLimits
from methods.controller.policy import Policy
from methods.drift.limits import DriftLimits, QualityLimits


@pytest.mark.parametrize("model", [Policy, DriftLimits, QualityLimits, AlertLimits])
def test_every_threshold_states_its_domain(model: type[Strict]) -> None:
    texts = meanings(model)
    for name, field in model.model_fields.items():
        if name not in {"drift", "quality", "alerts", "retrain"}:
            assert re.search(r"in [\[(]|>", texts[name]), name
            assert field.metadata, name


def test_a_policy_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Policy().loss_worse = 0.1  # type: ignore[misc] # what the test is about


@pytest.mark.parametrize(
    "field", [{"loss_worse": -0.1}, {"min_window_rows": 0}, {"drifting_age_share": 0}, {"typo": 1}]
)
def test_a_value_outside_its_domain_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(field)
