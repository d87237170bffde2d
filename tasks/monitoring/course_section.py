"""The section of monitoring's page on the days before: which it shows, and how they went."""

from collections.abc import Sequence
from datetime import date

from contract.decision import Decision
from contract.ledger_lines import is_repeat
from methods.controller.days import ONE_DAY
from methods.controller.history import History
from methods.controller.policy import Policy
from pages import Chart, PageSection, Status, TableBlock, lines
from tasks.monitoring.verdict_levels import LEVELS

DAYS_SHOWN = 28


def earlier_decisions(history: History, day: date) -> list[Decision]:
    """Return the decisions of the days before `day` that its page shows, oldest first."""
    before = (history.decision(day - n * ONE_DAY) for n in range(DAYS_SHOWN, 0, -1))
    return [decision for decision in before if decision is not None]


def course_section(decisions: Sequence[Decision], policy: Policy) -> PageSection:
    """Return the course of the days; blocked days in a row are one row of the table."""
    newest = [
        [
            last.day if first is last else f"{first.day} to {last.day}",
            Status(LEVELS[last.verdict], last.verdict.replace("_", " ")),
            last.sentence,
        ]
        for first, last in reversed(_fold_blocked(decisions))
    ]
    return PageSection(
        "The days before",
        Chart(
            lines(
                {
                    "importance drifted": [each.impact for each in decisions],
                    "loss above baseline": [
                        each.performance.change if each.performance else None for each in decisions
                    ],
                },
                [each.day for each in decisions],
                title="Drift and loss by day",
                limits={"worse": policy.loss_worse, "drift": policy.impact},
            )
        ),
        TableBlock(["day", "verdict", "reason"], newest),
    )


def _fold_blocked(decisions: Sequence[Decision]) -> list[tuple[Decision, Decision]]:
    """Return the first and the last of blocked days in a row with the same fault, else each day."""
    folded: list[tuple[Decision, Decision]] = []
    for decision in decisions:
        first, last = folded[-1] if folded else (decision, decision)
        if (
            folded
            and last.verdict == decision.verdict == "blocked_data_quality"
            and is_repeat(decision.sentence, last.sentence)
            and decision.day - last.day == ONE_DAY
        ):
            folded[-1] = (first, decision)
        else:
            folded.append((decision, decision))
    return folded
