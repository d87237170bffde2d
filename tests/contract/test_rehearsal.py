from datetime import date
from typing import Any

import pytest

from contract.rehearsal import RehearsalResult, RehearsedRun

RUN = {"day": date(2013, 5, 17), "reason": "performance", "sentence": "Accepted."}
RESULT: dict[str, Any] = {
    "problem": "p",
    "scenario": "concept",
    "says": "The effect of the strongest column turns.",
    "first": date(2013, 5, 1),
    "last": date(2013, 6, 9),
    "days": 40,
    "rows": 4_000,
    "refused_rows": 0,
    "verdicts": {"ok": 30, "blocked_data_quality": 2},
    "asked": (
        RehearsedRun(**RUN, outcome="deployed"),
        RehearsedRun(**RUN, outcome="refused"),
    ),
    "missed": 3,
    "faults": {},
    "metric": "log_loss",
    "loss": None,
    "first_loss": None,
    "best_loss": None,
    "value": None,
    "first_value": None,
    "page": "page.html",
    "cpu_seconds": 60.0,
}
COUNTS = (
    "In 40 days 2 retrainings would have been asked for, 1 promoted and 1 refused; 3 days were "
    "clearly worse than usual and called well; 2 were blocked for broken data."
)


@pytest.mark.parametrize(
    ("measured", "end"),
    [
        ({}, ""),
        (
            {"loss": 0.54, "first_loss": 0.6},
            " The mean log_loss was 0.54, which is -10.0% against never retraining.",
        ),
        (
            {"loss": 0.54, "first_loss": 0.6, "value": 5_000.0, "first_value": 4_000.0},
            " The decisions earned 5,000, which is +1,000 against never retraining.",
        ),
    ],
)
def test_a_rehearsal_says_what_came_of_it(measured: dict[str, float], end: str) -> None:
    result = RehearsalResult(**RESULT | measured)

    assert result.promoted == 1
    assert result.sentence == COUNTS + end


def test_a_first_model_that_the_gate_refused_is_named_first() -> None:
    result = RehearsalResult(**RESULT | {"first_refused": "It is no better than a constant."})

    assert result.sentence.startswith(
        "The gate refused the first model, which serves here all the same: It is no better than a "
        "constant. In 40 days"
    )
