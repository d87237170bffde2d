from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contract.verdict import Check, Measured, Verdict

DIGEST, OTHER = "a" * 64, "b" * 64
PASSED = Check(name="size", passed=True, why="small enough.")
FAILED = Check(name="dummy", passed=False, why="no better than a constant.")
UNJUDGED = Check(name="rows", passed=None, why="no labelled row.")


def verdict(**changes: Any) -> Verdict:
    return Verdict.model_validate(
        {
            "verdict": "accepted",
            "judged": DIGEST,
            "baseline": None,
            "rule": "first",
            "metric": "roc_auc",
            "score": 0.7,
            "baseline_score": None,
            "checks": (PASSED,),
            "reasons": (),
            "rows": 100,
            "window_end": datetime(2024, 1, 1, tzinfo=UTC),
        }
        | changes
    )


def test_an_accepted_verdict_allows_the_model_that_it_judged() -> None:
    assert verdict().allows(DIGEST)


def test_no_verdict_allows_another_model() -> None:
    assert not verdict().allows(OTHER)


@pytest.mark.parametrize("check", [FAILED, UNJUDGED])
def test_a_refused_verdict_allows_nothing(check: Check) -> None:
    refused = verdict(verdict="refused", checks=(PASSED, check), reasons=(check.why,))

    assert not refused.allows(DIGEST)


@pytest.mark.parametrize("check", [FAILED, UNJUDGED])
def test_no_verdict_is_accepted_over_a_check_that_did_not_pass(check: Check) -> None:
    with pytest.raises(ValidationError, match="does not follow"):
        verdict(checks=(PASSED, check), reasons=(check.why,))


def test_no_verdict_is_refused_without_a_reason() -> None:
    with pytest.raises(ValidationError, match="does not follow"):
        verdict(verdict="refused")


def test_reasons_are_the_sentences_of_the_refusing_checks() -> None:
    with pytest.raises(ValidationError, match="reasons must be the sentences"):
        verdict(verdict="refused", checks=(FAILED,), reasons=("another sentence",))


def test_a_verdict_without_checks_is_no_verdict() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        verdict(checks=())


@pytest.mark.parametrize(
    ("baseline", "rule"), [(None, "superior"), (OTHER, "first"), (None, "non-inferior")]
)
def test_the_rule_first_belongs_to_a_verdict_without_a_champion(
    baseline: str | None, rule: str
) -> None:
    with pytest.raises(ValidationError, match="does not fit baseline"):
        verdict(baseline=baseline, rule=rule)


def test_a_number_that_is_not_finite_is_no_evidence() -> None:
    with pytest.raises(ValidationError, match="finite"):
        verdict(score=float("nan"))


@pytest.mark.parametrize(
    ("name", "unit", "label"),
    [
        ("roc_auc", None, "roc_auc"),
        ("value", "$", "value in $ a decision"),
        ("value", "", "value a decision"),
    ],
)
def test_a_measure_names_its_unit(name: str, unit: str | None, label: str) -> None:
    assert Measured(name=name, unit=unit).label == label


def test_a_measure_is_a_clause_of_what_is_known() -> None:
    alone = Measured(name="roc_auc", score=0.71234)
    both = Measured(
        name="value",
        unit="$",
        score=1.253,
        baseline=0.743,
        gain=0.51,
        low=0.35,
        high=0.67,
        probability=0.99999,
    )

    assert alone.sentence == "roc_auc 0.7123"
    assert both.sentence == (
        "$1.25 a decision, the champion $0.743 a decision, a gain of +$0.510 a decision "
        "[0.350, 0.670], above 0 with probability > 0.999"
    )


def test_a_verdict_of_an_earlier_version_names_no_yardstick() -> None:
    found = verdict()

    assert (found.yardstick, found.loss, found.threshold, found.margin, found.twin) == (None,) * 5
