"""Put the checks together: one verdict about one model, in an order that a person reads.

Whatever cannot be judged refuses. The verdict depends on the rows, the models and the problem only.
"""

from dataclasses import dataclass

import numpy as np

from bundle.model import Model
from contract.problem import Problem
from contract.run import Run
from contract.verdict import Check, Verdict
from methods.models.bootstrap import Gain, Scored
from methods.models.metrics import DEFAULTS, MetricDefinition, metric_named
from tasks.evaluation import gates, service
from tasks.evaluation.vault import Vault, predict, predict_dummy


@dataclass(frozen=True)
class Baseline:
    """The champion, or why it could not be read; `model` None and `why` set in that case."""

    digest: str
    model: Model | None
    why: str = ""


@dataclass(frozen=True)
class GateResult:
    """A verdict, and what its page shows beside it."""

    verdict: Verdict
    new: Scored
    old: Scored | None
    dummy_gain: Gain | None
    gain: Gain | None


@dataclass(frozen=True)
class _Case:
    """Everything that the comparing checks look at; `old` None where there is nothing to compare."""

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
) -> GateResult:
    """Judge the model by every gate of the problem."""
    task = model.contract.task
    metric = metric_named(problem.metric.name or DEFAULTS[task], task)
    new, old = predict(model, vault), _champion_answers(baseline, model, vault)
    case = _Case(problem, run, metric, vault, model, new, baseline, old)
    checks = [gates.check_rows(vault)]
    dummy_gain, gain = None, None
    if len(vault.truth):
        dummy_gain = _absolute(case, checks)
        gain = _relative(case, checks)
        if task != "regression":
            checks.append(gates.check_calibration(vault, new, old))
    if baseline is not None and baseline.model is not None:
        checks.append(service.check_contract(model.contract, baseline.model.contract))
    checks += [
        service.check_size(size_bytes, problem.gates.size),
        service.check_latency(latency_seconds, problem.gates.latency_p99.total_seconds()),
        service.check_golden(model),
    ]
    return GateResult(_verdict(case, checks), new, old, dummy_gain, gain)


def _verdict(case: _Case, checks: list[Check]) -> Verdict:
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
    )


def _absolute(case: _Case, checks: list[Check]) -> Gain | None:
    """Append the checks that need no champion; return the gain over the dummy."""
    asked = case.problem.gates
    gain = None
    if asked.beats.dummy:
        compared = gates.check_dummy(
            case.metric,
            case.vault,
            case.new,
            predict_dummy(case.metric, case.model.contract, case.vault),
            confidence=asked.beats.champion.confidence,
            seed=case.problem.models.seed,
        )
        checks.append(compared.check)
        gain = compared.gain
    checks += [
        gates.check_minimum(name, limit, case.model.contract.task, case.vault, case.new)
        for name, limit in sorted(asked.minimum.items())
    ]
    return gain


def _relative(case: _Case, checks: list[Check]) -> Gain | None:
    """Append the checks against the champion; the first model has none, and says so."""
    if case.baseline is None:
        why = "there is no champion yet: absolute checks only."
        checks.append(Check(name="champion", passed=True, why=why))
        return None
    if case.old is None:
        why = case.baseline.why or "it answers another target, or has another task or classes."
        said = f"the champion {case.baseline.digest[:12]} cannot be compared: {why}"
        checks.append(Check(name="champion", passed=None, why=said))
        return None
    asked = case.problem.gates.beats.champion
    compared = gates.check_champion(
        case.metric,
        case.vault,
        case.new,
        case.old,
        rule=gates.rule_for(case.run.reason, has_champion=True),
        margin=asked.margin,
        confidence=asked.confidence,
        seed=case.problem.models.seed,
    )
    checks.append(compared.check)
    checks += gates.check_slices(
        case.problem.gates.slices, case.model.contract.task, case.vault, case.new, case.old
    )
    return compared.gain


def _champion_answers(baseline: Baseline | None, model: Model, vault: Vault) -> Scored | None:
    """Return what the champion says, None where it cannot be compared."""
    if baseline is None or baseline.model is None:
        return None
    held, asked = baseline.model.contract, model.contract
    same = (held.task, held.output.name, held.classes) == (
        asked.task,
        asked.output.name,
        asked.classes,
    )
    return predict(baseline.model, vault) if same else None


def _score(metric: MetricDefinition, vault: Vault, of: Scored) -> float | None:
    """Return the metric on the vault; None where it is not a number."""
    if len(vault.truth) == 0:
        return None
    score = metric.score(vault.truth, of.predicted, of.threshold)
    return score if np.isfinite(score) else None
