"""Put the checks together: one verdict about one model, in an order that a person reads.

A check that cannot be decided refuses. The verdict depends on the rows, the models and the problem
only.
"""

from dataclasses import dataclass

import numpy as np

from bundle.model import Model
from contract.formatting import format_digest
from contract.problem import Problem
from contract.run import Run
from contract.verdict import Check, Verdict
from methods.models.bootstrap import Gain, Scored
from methods.models.metrics import DEFAULTS, MetricDefinition, metric_named
from tasks.evaluation import gates, service
from tasks.evaluation.vault import Vault, predict, predict_dummy


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


@dataclass(frozen=True)
class _Case:
    """What the checks compare: predictions on the vault; `old` is None where there are none."""

    problem: Problem
    run: Run
    metric: MetricDefinition
    vault: Vault
    model: Model
    new: Scored
    baseline: Baseline | None
    old: Scored | None


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
    task = model.contract.task
    metric = metric_named(problem.metric.name or DEFAULTS[task], task)
    new = new or predict(model, vault)
    old = old or _champion_predictions(baseline, model, vault)
    case = _Case(problem, run, metric, vault, model, new, baseline, old)
    checks = [gates.check_rows(vault)]
    dummy_gain, gain = None, None
    if len(vault.truth):
        absolute, dummy_gain = _absolute_checks(case)
        relative, gain = _relative_checks(case)
        checks += [*absolute, *relative]
        if task != "regression":
            checks.append(gates.check_calibration(vault, new, old))
    if baseline is not None and baseline.model is not None:
        checks.append(service.check_contract(model.contract, baseline.model.contract))
    checks += [
        service.check_size(size_bytes, problem.gates.size),
        service.check_latency(latency_seconds, problem.gates.latency_p99.total_seconds()),
        service.check_golden(model),
        *further,
    ]
    return GateResult(_verdict(case, checks, twin), new, old, dummy_gain, gain)


def _verdict(case: _Case, checks: list[Check], twin: str | None) -> Verdict:
    reasons = tuple(check.why for check in checks if check.passed is not True)
    baseline = case.baseline
    return Verdict(
        verdict="refused" if reasons else "accepted",
        judged=case.model.digest,
        baseline=baseline.digest if baseline else None,
        rule=gates.rule_for(case.run.reason, has_champion=baseline is not None),
        metric=case.metric.name,
        score=_score(case.metric, case.vault, case.new),
        baseline_score=_score(case.metric, case.vault, case.old) if case.old else None,
        checks=tuple(checks),
        reasons=reasons,
        rows=len(case.vault.truth),
        window_end=case.run.window_end,
        twin=twin,
    )


def _absolute_checks(case: _Case) -> tuple[list[Check], Gain | None]:
    """Return the checks that need no champion, and the gain over the dummy."""
    limits = case.problem.gates
    checks, gain = [], None
    if limits.beats.dummy:
        compared = gates.check_dummy(
            case.metric,
            case.vault,
            case.new,
            predict_dummy(case.metric, case.model.contract, case.vault),
            confidence=limits.beats.champion.confidence,
            seed=case.problem.models.seed,
        )
        checks.append(compared.check)
        gain = compared.gain
    checks += [
        gates.check_minimum(name, limit, case.model.contract.task, case.vault, case.new)
        for name, limit in sorted(limits.minimum.items())
    ]
    return checks, gain


def _relative_checks(case: _Case) -> tuple[list[Check], Gain | None]:
    """Return the checks against the champion and the gain over it; the first model has no gain."""
    if case.baseline is None:
        why = "there is no champion yet: absolute checks only."
        return [Check(name="champion", passed=True, why=why)], None
    if case.old is None:
        reason = case.baseline.why or "it answers another target, or has another task or classes."
        why = f"the champion {format_digest(case.baseline.digest)} cannot be compared: {reason}"
        return [Check(name="champion", passed=None, why=why)], None
    required = case.problem.gates.beats.champion
    compared = gates.check_champion(
        case.metric,
        case.vault,
        case.new,
        case.old,
        rule=gates.rule_for(case.run.reason, has_champion=True),
        margin=required.margin,
        confidence=required.confidence,
        seed=case.problem.models.seed,
    )
    slices = gates.check_slices(
        case.problem.gates.slices, case.model.contract.task, case.vault, case.new, case.old
    )
    return [compared.check, *slices], compared.gain


def _champion_predictions(baseline: Baseline | None, model: Model, vault: Vault) -> Scored | None:
    """Return the champion's predictions on the vault, None where they cannot be compared."""
    if baseline is None or baseline.model is None:
        return None
    before, now = baseline.model.contract, model.contract
    is_same = (before.task, before.output.name, before.classes) == (
        now.task,
        now.output.name,
        now.classes,
    )
    return predict(baseline.model, vault) if is_same else None


def _score(metric: MetricDefinition, vault: Vault, scored: Scored) -> float | None:
    """Return the metric on the vault; None where it is not a number."""
    if len(vault.truth) == 0:
        return None
    score = metric.score(vault.truth, scored.predicted, scored.threshold)
    return score if np.isfinite(score) else None
