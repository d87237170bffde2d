"""The page of training: the model's card, its columns by weight, how sure it is and how right."""

import numpy as np

from bundle.arrays import Floats
from bundle.documents import Card
from contract.artifacts import Bundle
from contract.run import Run
from methods.models.families import TrainingPlan
from pages import (
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
    number,
    render,
    size,
)
from tasks.training.hold_out import HoldOut

_SHOWN = 20
_BINS = 10


def page(plan: TrainingPlan, held: HoldOut, card: Card, bundle: Bundle, run: Run) -> str:
    """Return the page."""
    score = card.metrics.get(plan.metric)
    return render(
        f"Training for {run.name}",
        status=Status("neutral", "not yet judged"),
        lead=f"A {card.family} from {number(card.rows)} rows; {plan.metric} {number(score)} on "
        "validation before the refit. The gate judges it next.",
        sections=[
            PageSection("The model", *_model(plan, held, card, bundle.bytes)),
            PageSection("What it looks at", *_importance(held)),
            PageSection("How right it is", *_rightness(plan, held)),
            PageSection("Limits", *[Paragraph(sentence) for sentence in card.limits]),
        ],
        footer={"run": run.run_id, "problem": run.name, "digest": bundle.digest},
    )


def _model(plan: TrainingPlan, held: HoldOut, card: Card, size_bytes: int) -> list[Block]:
    members = [[member.family, member.weight, member.iterations or None] for member in plan.members]
    return [
        Facts(
            {
                "rows": card.rows,
                "members": len(plan.members),
                "size": size(size_bytes),
                "calibration": plan.calibration,
                "threshold": held.threshold,
            }
        ),
        TableBlock(["member", "weight", "steps as planned"], members),
        TableBlock(
            ["metric", "on validation"], [[name, value] for name, value in card.metrics.items()]
        ),
    ]


def _importance(held: HoldOut) -> list[Block]:
    shown = held.importance[:_SHOWN]
    if not shown:
        return [Paragraph("No column was asked for.")]
    rest = [[one.column, one.loss, one.share] for one in held.importance]
    return [
        Chart(
            bars(
                [one.column for one in shown],
                [one.share for one in shown],
                title="Share of what the metric loses without the column",
            ),
            "Permutation importance on validation; correlated columns share theirs.",
        ),
        Details("All columns", TableBlock(["column", "loss of the metric", "share"], rest)),
    ]


def _rightness(plan: TrainingPlan, held: HoldOut) -> list[Block]:
    if plan.task == "regression" or held.scores.ndim > 1:
        return [Paragraph(f"{len(held.truth)} validation rows; the metrics stand above.")]
    said, found = reliability(held.truth, held.scores)
    return [
        Chart(
            curve(
                said,
                found,
                title="Said and found",
                x_label="probability that was said",
                y_label="share that came true",
                diagonal=True,
            ),
            "Each point is a tenth of the validation rows; on the diagonal probabilities are true.",
        )
    ]


def reliability(truth: Floats, scores: Floats) -> tuple[list[float], list[float]]:
    """Return mean score and share of positives of each tenth of the rows, in order of score."""
    order = np.argsort(scores, kind="stable")
    tenths = [rows for rows in np.array_split(order, _BINS) if len(rows)]
    said = [float(scores[rows].mean()) for rows in tenths]
    return said, [float(truth[rows].mean()) for rows in tenths]
