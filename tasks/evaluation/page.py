"""The page of the gate: the verdict first, then its evidence."""

from contract.formatting import format_digest, format_probability, format_score
from contract.learning_task import LearningTask
from contract.run import Run
from contract.verdict import Check, Rule, Verdict
from methods.models.metrics import METRICS
from pages import (
    Alert,
    Block,
    Chart,
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    format_duration,
    format_value,
    intervals,
    render,
)
from tasks.evaluation.gates import scores
from tasks.evaluation.vault import Vault
from tasks.evaluation.verdict import GateResult


def page(
    result: GateResult, vault: Vault, task: LearningTask, run: Run, *, latency_seconds: float
) -> str:
    """Return the page."""
    verdict = result.verdict
    is_accepted = verdict.verdict == "accepted"
    return render(
        f"Evaluation of {run.name}",
        status=Status("good" if is_accepted else "bad", verdict.verdict),
        lead=_lead(result),
        sections=[
            PageSection("Why", *[Alert("bad", reason) for reason in verdict.reasons])
            if verdict.reasons
            else PageSection("Why", Paragraph("Every check passed.")),
            PageSection("Checks", _checks(verdict.checks)),
            PageSection("Gain", *_gains(result)),
            PageSection("Yardstick and loss", _measures(verdict)),
            PageSection("All metrics on the vault", _metrics(result, vault, task)),
            PageSection("Further facts", _facts(result, latency_seconds)),
        ],
        footer={
            "run": run.run_id,
            "problem": run.name,
            "challenger": verdict.judged,
            "champion": verdict.baseline or "none yet",
            "window end": verdict.window_end,
        },
    )


def _lead(result: GateResult) -> str:
    verdict = result.verdict
    lead = f"{result.measured.sentence}, on {format_value(verdict.rows)} unseen rows"
    return f"{lead}; {_RULES[verdict.rule]}."


_RULES: dict[Rule, str] = {
    "first": "the first model, by absolute checks only",
    "superior": "it must be better by the yardstick",
    "non-inferior": "a refresh, which need not be better",
    "alarm": "it must be better by the yardstick, or by the loss that raised the alarm without being worse",
}


def _checks(checks: tuple[Check, ...]) -> Block:
    rows = [[check.name, _status(check), check.found, check.limit, check.why] for check in checks]
    return TableBlock(["check", "result", "value", "limit", "explanation"], rows)


def _status(check: Check) -> Status:
    if check.passed is None:
        return Status("bad", "cannot be decided")
    return Status("good", "passed") if check.passed else Status("bad", "refused")


def _gains(result: GateResult) -> list[Block]:
    named = {"over the champion": result.gain, "over a constant": result.dummy_gain}
    known = {name: gain for name, gain in named.items() if gain is not None}
    if not known:
        return [Paragraph("Nothing could be compared.")]
    return [
        Chart(
            intervals(
                list(known),
                [gain.value for gain in known.values()],
                [gain.low for gain in known.values()],
                [gain.high for gain in known.values()],
                title=f"Gain in {result.measured.label}, 95 % interval",
            ),
            "Paired bootstrap by blocks on the same rows; right of 0 is better.",
        )
    ]


def _metrics(result: GateResult, vault: Vault, task: LearningTask) -> Block:
    if len(vault.truth) == 0:
        return Paragraph("There is no labelled row.")
    new = scores(METRICS, task, vault, result.new)
    old = scores(METRICS, task, vault, result.old) if result.old else {}
    rows = [[name, value, old.get(name)] for name, value in sorted(new.items())]
    return TableBlock(["metric", "challenger", "champion"], rows)


def _measures(verdict: Verdict) -> Block:
    """Return both measures of challenger and champion, and the gain with its interval."""
    rows = [
        [
            one.label,
            format_score(one.score, one.unit),
            format_score(one.baseline, one.unit),
            format_score(one.gain, one.unit, one.low, one.high, signed=True),
            format_probability(one.probability),
        ]
        for one in (verdict.yardstick, verdict.loss)
        if one is not None
    ]
    columns = ["measure", "challenger", "champion", "gain, 95 % interval", "P(gain > 0)"]
    return TableBlock(columns, rows)


def _facts(result: GateResult, latency_seconds: float) -> Block:
    verdict = result.verdict
    unit = result.measured.unit
    return Facts(
        {
            "rows of the vault": verdict.rows,
            "rule": verdict.rule,
            "an answer": result.meaning,
            "threshold": verdict.threshold,
            "the champion's threshold": verdict.baseline_threshold,
            "may be worse by": format_score(verdict.margin, unit),
            "smallest gain that could be seen": format_score(verdict.seen, unit),
            "judged by its twin": format_digest(verdict.twin),
            "one row, 99th percentile": format_duration(latency_seconds),
        }
    )
