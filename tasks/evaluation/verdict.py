"""Put the checks together: one verdict about one model, in an order that a person reads.

A check that cannot be decided refuses. The verdict depends on the rows, the models and the problem
only.
"""

from dataclasses import dataclass

import numpy as np

from bundle.meaning import answer_meaning
from bundle.model import Model
from contract.formatting import format_digest, plain_text
from contract.problem import Problem
from contract.run import Run
from contract.verdict import Check, Measured, Verdict
from methods.models.bootstrap import Gain, Scored
from methods.models.metrics import DEFAULTS, MetricDefinition, metric_named
from methods.models.yardstick import proper_score, yardstick_of
from tasks.evaluation import gates, service
from tasks.evaluation.calibration import check_calibration, check_slope
from tasks.evaluation.rivals import Rivals, measured
from tasks.evaluation.superiority import Compared, check_champion, check_dummy, rule_for
from tasks.evaluation.vault import Vault, answers_alike, predict, predict_dummy


@dataclass(frozen=True)
class Baseline:
    """The champion; where it could not be read, `model` is None and `why` says why."""

    digest: str
    model: Model | None
    why: str = ""


@dataclass(frozen=True)
class GateResult:
    """A verdict, and what its page shows beside it: predictions on the vault, and gains."""

    verdict: Verdict
    new: Scored
    old: Scored | None
    dummy_gain: Gain | None
    gain: Gain | None
    """Both gains are by the yardstick."""
    measured: Measured
    """What the yardstick says of both models, as in the verdict."""
    meaning: str
    """What an answer of the model means."""


@dataclass(frozen=True)
class _Case:
    """What the checks compare: predictions on the vault; `old` is None where there are none."""

    problem: Problem
    run: Run
    metric: MetricDefinition
    rivals: Rivals
    model: Model
    baseline: Baseline | None

    @property
    def vault(self) -> Vault:
        return self.rivals.vault


def apply_gates(
    problem: Problem,
    run: Run,
    vault: Vault,
    model: Model,
    baseline: Baseline | None,
    *,
    size_bytes: int,
    latency_seconds: float,
    new: Scored | None = None,
    old: Scored | None = None,
    further: tuple[Check, ...] = (),
    twin: str | None = None,
) -> GateResult:
    """Check the model by every gate of the problem.

    `new` and `old` are the scores of the vault's rows by which challenger and champion are judged,
    where these are not what the two models themselves answer; `twin` is then the bundle that gave
    `new`. `further` are checks that were made elsewhere.
    """
    contract = model.contract
    metric = metric_named(problem.metric.name or DEFAULTS[contract.task], contract.task)
    yardstick = yardstick_of(problem, contract.task)
    nothing = Scored(np.empty(0))
    rivals = Rivals(
        vault=vault,
        yardstick=yardstick,
        loss=proper_score(contract.task),
        new=new or predict(model, vault),
        old=old or _champion_predictions(baseline, model, vault),
        constant=predict_dummy(yardstick, contract, vault) if len(vault.truth) else nothing,
        classes=len(contract.classes),
        seed=problem.models.seed,
    )
    case = _Case(problem, run, metric, rivals, model, baseline)
    checks = [gates.check_rows(vault)]
    dummy_gain, compared = None, None
    if len(vault.truth):
        absolute, dummy_gain = _absolute_checks(case)
        relative, compared = _relative_checks(case)
        checks += [*absolute, *relative, _meaning(case)]
    if baseline is not None and baseline.model is not None:
        checks.append(service.check_contract(contract, baseline.model.contract))
    checks += [
        service.check_size(size_bytes, problem.gates.size),
        service.check_latency(latency_seconds, problem.gates.latency_p99.total_seconds()),
        service.check_golden(model),
        *further,
    ]
    gain = compared.gain if compared else None
    found = measured(rivals, yardstick, gain)
    # Ledger, log and terminal hold the sentences too.
    plain = [check.model_copy(update={"why": plain_text(check.why)}) for check in checks]
    verdict = _verdict(case, plain, compared, found, twin)
    meaning = answer_meaning(contract, model.document.threshold)
    return GateResult(verdict, rivals.new, rivals.old, dummy_gain, gain, found, meaning)


def _verdict(
    case: _Case,
    checks: list[Check],
    compared: Compared | None,
    found: Measured,
    twin: str | None,
) -> Verdict:
    reasons = tuple(check.why for check in checks if check.passed is not True)
    baseline, rivals = case.baseline, case.rivals
    return Verdict(
        verdict="refused" if reasons else "accepted",
        judged=case.model.digest,
        baseline=baseline.digest if baseline else None,
        rule=rule_for(case.run.reason, has_champion=baseline is not None),
        metric=case.metric.name,
        score=_score(case.metric, case.vault, rivals.new),
        baseline_score=_score(case.metric, case.vault, rivals.old),
        checks=tuple(checks),
        reasons=reasons,
        rows=len(case.vault.truth),
        window_end=case.run.window_end,
        yardstick=found,
        loss=measured(rivals, rivals.loss, compared.loss_gain if compared else None),
        threshold=case.model.document.threshold,
        baseline_threshold=(
            baseline.model.document.threshold if baseline and baseline.model else None
        ),
        margin=compared.margin if compared else None,
        seen=compared.seen if compared else None,
        twin=twin,
    )


def _meaning(case: _Case) -> Check:
    """Return the check of whether probabilities or values mean what they say."""
    rivals = case.rivals
    if case.model.contract.task != "regression":
        return check_calibration(case.vault, rivals.new, rivals.old)
    confidence = case.problem.gates.beats.champion.confidence
    return check_slope(case.vault, rivals.new, rivals.old, confidence=confidence, seed=rivals.seed)


def _absolute_checks(case: _Case) -> tuple[list[Check], Gain | None]:
    """Return the checks that need no champion, and the gain over the best constant answer."""
    limits, rivals = case.problem.gates, case.rivals
    checks, gain = [], None
    if limits.beats.dummy:
        compared = check_dummy(
            rivals, skill=limits.beats.skill, confidence=limits.beats.champion.confidence
        )
        checks.append(compared.check)
        gain = compared.gain
    checks += [
        gates.check_minimum(name, limit, case.model.contract.task, case.vault, rivals.new)
        for name, limit in sorted(limits.minimum.items())
    ]
    return checks, gain


def _relative_checks(case: _Case) -> tuple[list[Check], Compared | None]:
    """Return the checks against the champion and what was compared; the first model has no champion."""
    if case.baseline is None:
        why = "there is no champion yet: absolute checks only."
        return [Check(name="champion", passed=True, why=why)], None
    rivals = case.rivals
    if rivals.old is None:
        reason = case.baseline.why or "it answers another target, or has another task or classes."
        why = f"the champion {format_digest(case.baseline.digest)} cannot be compared: {reason}"
        return [Check(name="champion", passed=None, why=why)], None
    compared = check_champion(
        rivals,
        rule=rule_for(case.run.reason, has_champion=True),
        reason=case.run.reason,
        required=case.problem.gates.beats.champion,
    )
    slices = gates.check_slices(
        case.problem.gates.slices, case.model.contract.task, case.vault, rivals.new, rivals.old
    )
    return [compared.check, *slices], compared


def _champion_predictions(baseline: Baseline | None, model: Model, vault: Vault) -> Scored | None:
    """Return the champion's predictions on the vault, None where they cannot be compared."""
    if baseline is None or baseline.model is None:
        return None
    is_same = answers_alike(baseline.model.contract, model.contract)
    return predict(baseline.model, vault) if is_same else None


def _score(metric: MetricDefinition, vault: Vault, scored: Scored | None) -> float | None:
    """Return the metric on the vault; None where it is not a number."""
    if scored is None or len(vault.truth) == 0:
        return None
    score = metric.score(vault.truth, scored.predicted, scored.threshold, vault.strata)
    return score if np.isfinite(score) else None
