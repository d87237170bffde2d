"""The page of training: the model's card, its columns by importance, and its reliability."""

import numpy as np

from bundle.arrays import Floats
from bundle.documents import Card
from contract.artifacts import Bundle
from contract.run import Run
from methods.models.families import TrainingPlan
from pages import (
    Alert,
    Block,
    Chart,
    Details,
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    bars,
    curve,
    format_bytes,
    format_share,
    format_value,
    render,
)
from tasks.training.hold_out import HoldOut

_SHOWN = 20
_BINS = 10


def page(plan: TrainingPlan, hold_out: HoldOut, card: Card, bundle: Bundle, run: Run) -> str:
    """Return the page."""
    yardstick = hold_out.yardstick
    score = yardstick.describe(card.metrics.get(yardstick.name))
    measure = score if yardstick.unit is not None else f"{yardstick.name} {score}"
    article = "An" if card.family[0] in "aeiou" else "A"
    return render(
        f"Training for {run.name}",
        status=Status("neutral", "not yet evaluated"),
        lead=f"{article} {card.family} from {format_value(card.rows)} rows; {measure} on "
        "validation before the refit. The gate evaluates it next.",
        sections=[
            PageSection("The model", *_model(plan, hold_out, card, bundle.bytes)),
            PageSection("Importance of the columns", *_importance(hold_out)),
            PageSection("Reliability", *_reliability(plan, hold_out)),
            PageSection("Limits", *[Paragraph(sentence) for sentence in card.limits]),
        ],
        footer={"run": run.run_id, "problem": run.name, "digest": bundle.digest},
    )


def _model(plan: TrainingPlan, hold_out: HoldOut, card: Card, size_bytes: int) -> list[Block]:
    chosen = hold_out.threshold
    warning = [Alert("warn", chosen.sentence)] if chosen and chosen.changes_sign else []
    members = [[member.family, member.weight, member.iterations or None] for member in plan.members]
    return [
        *warning,
        Facts(
            {
                "rows": card.rows,
                "members": len(plan.members),
                "size": format_bytes(size_bytes),
                "calibration": plan.calibration,
                "threshold": chosen and chosen.cut,
                "threshold with a tenth left out": chosen
                and f"{format_value(chosen.low)} to {format_value(chosen.high)}",
            }
        ),
        TableBlock(["member", "weight", "steps as planned"], members),
        TableBlock(
            ["metric", "on validation"], [[name, value] for name, value in card.metrics.items()]
        ),
    ]


def _importance(hold_out: HoldOut) -> list[Block]:
    shown = hold_out.importance[:_SHOWN]
    if not shown:
        return [Paragraph("No column is used.")]
    rest = [[one.column, one.loss, format_share(one.share)] for one in hold_out.importance]
    return [
        Chart(
            bars(
                [one.column for one in shown],
                [one.share for one in shown],
                title="Share of what the metric loses without the column",
            ),
            "Permutation importance on validation; correlated columns share theirs.",
        ),
        Details(
            "All columns",
            TableBlock(
                ["column", "loss of the metric", "share"], rest, align=["left", "right", "right"]
            ),
        ),
    ]


def _reliability(plan: TrainingPlan, hold_out: HoldOut) -> list[Block]:
    if plan.task == "regression" or hold_out.scores.ndim > 1:
        return [
            Paragraph(
                f"{format_value(len(hold_out.truth))} validation rows; their metrics are above."
            )
        ]
    predicted, observed = reliability(hold_out.truth, hold_out.scores)
    return [
        Chart(
            curve(
                predicted,
                observed,
                title="Predicted and observed",
                x_label="predicted probability",
                y_label="observed share",
                diagonal=True,
            ),
            "Each point is a tenth of the validation rows; on the diagonal the model is calibrated.",
        )
    ]


def reliability(truth: Floats, scores: Floats) -> tuple[list[float], list[float]]:
    """Return mean score and share of positives of each tenth of the rows, in order of score."""
    order = np.argsort(scores, kind="stable")
    tenths = [rows for rows in np.array_split(order, _BINS) if len(rows)]
    means = [float(scores[rows].mean()) for rows in tenths]
    return means, [float(truth[rows].mean()) for rows in tenths]
