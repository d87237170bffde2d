"""What a day's page says of labels: how late they come, what scores let expect, where it is worse."""

from collections.abc import Iterator, Sequence

from contract.decision import Decision
from contract.labels import LabelHealth, LossEstimate, SegmentLoss
from pages import Facts, PageSection, Paragraph, TableBlock


def label_sections(decision: Decision) -> Iterator[PageSection]:
    """Yield a section for each that there is something to say of."""
    if decision.labels is not None:
        yield _health(decision.labels)
    if decision.estimate is not None:
        yield _estimate(decision.estimate)
    if decision.segments:
        yield _segments(decision.segments)


def _health(labels: LabelHealth) -> PageSection:
    curve = [[f"{days} days", share] for days, share in sorted(labels.curve.items())]
    return PageSection(
        "Labels",
        *map(Paragraph, labels.sentences),
        Facts(
            {
                "days until complete": labels.mature_days,
                "newest complete day": labels.newest_mature,
                "labelled share of complete days": labels.coverage,
                "arrived lately": labels.arrived,
                "expected lately": labels.expected,
            }
        ),
        TableBlock(["age of a row", "share of its final labels known"], curve),
    )


def _estimate(estimate: LossEstimate) -> PageSection:
    error = "no day's labels have come yet to compare it with"
    if estimate.tracked_error is not None:
        error = (
            f"on {estimate.tracked_days} days whose labels came later it was off by "
            f"{estimate.tracked_error:.3g} on average"
        )
    return PageSection(
        "The loss that scores let expect",
        Paragraph(
            f"{estimate.value:.3g} on {estimate.rows} rows, labelled or not; {error}. It takes what "
            "a score means as unchanged, so it decides nothing."
        ),
    )


def _segments(segments: Sequence[SegmentLoss]) -> PageSection:
    rows = [
        [
            f"{each.column} = {each.value}",
            each.rows,
            each.loss,
            each.expected,
            each.change,
            each.q,
            "worse" if each.is_worse else "",
        ]
        for each in segments
    ]
    heads = ["rows with", "rows", "loss", "expected", "change", "q", ""]
    return PageSection("Where the loss is worst", TableBlock(heads, rows))
