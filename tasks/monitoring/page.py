"""The page of a day: verdict, reason, columns and what happens next, in five seconds at 06:00."""

import shlex
from collections.abc import Sequence
from datetime import date

from contract.decision import ColumnDrift, Decision, Outcome
from contract.formatting import format_digest
from contract.ledger_lines import is_repeat
from methods.controller.days import ONE_DAY
from methods.controller.history import History
from methods.controller.policy import Policy
from methods.drift.bins import bins
from methods.drift.divergence import group
from methods.drift.profile import ColumnReference, DayProfile, ReferenceProfile
from pages import (
    Alert,
    BlockGrid,
    Chart,
    Details,
    Facts,
    Level,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    bars,
    format_share,
    format_value,
    histogram_pair,
    lines,
    render,
)
from tasks.monitoring.effect_section import effect_section
from tasks.monitoring.label_sections import label_sections

LEVELS: dict[Outcome, Level] = {
    "ok": "good",
    "watch": "good",
    "warn": "warn",
    "retrain": "warn",
    "blocked_data_quality": "bad",
    "insufficient_data": "neutral",
}
COLUMNS_NAMED = 5
COLUMNS_IN_CHART = 15
PICTURES = 6  # columns whose distribution is drawn
DAYS_SHOWN = 28
LEVELS_DRAWN = 10  # categories in a picture


def earlier_decisions(history: History, day: date) -> list[Decision]:
    """Return the decisions of the days before `day` that its page shows, oldest first."""
    before = (history.decision(day - n * ONE_DAY) for n in range(DAYS_SHOWN, 0, -1))
    return [decision for decision in before if decision is not None]


def page(
    decision: Decision,
    earlier: Sequence[Decision],
    reference: ReferenceProfile | None,
    window: DayProfile | None,
    policy: Policy,
) -> str:
    """Return the HTML of a day.

    Args:
        decision: of the day.
        earlier: the decisions of the days before it, oldest first.
        reference: of the champion; None where there is none.
        window: the merged days; None where the data was not compared.
        policy: whose limits are drawn.
    """
    columns = [*decision.drifted_columns, *decision.other_columns]
    sections = [_next_step(decision)]
    if decision.dq:
        sections.append(_faults(decision))
    if columns:
        sections.append(_columns(columns))
    if reference is not None and window is not None:
        sections.append(_pictures(columns, reference, window))
    if decision.performance is not None or decision.probe is not None:
        sections.append(_model(decision))
    sections += label_sections(decision)
    if decision.effect is not None:
        sections.append(effect_section(decision.effect))
    sections.append(_days_before([*earlier, decision], policy))
    if decision.notes:
        sections.append(PageSection("What was not looked at", *map(Paragraph, decision.notes)))
    return render(
        f"Monitoring of {decision.problem}",
        subtitle=f"{decision.day}",
        status=Status(LEVELS[decision.verdict], decision.verdict.replace("_", " ")),
        lead=decision.sentence,
        sections=sections,
        footer={
            "problem": decision.problem,
            "day": decision.day,
            "champion": format_digest(decision.digest, "none"),
            "data until": decision.at,
        },
    )


def _next_step(decision: Decision) -> PageSection:
    """Answer what happens next, and name the columns."""
    drifted = [column.name for column in decision.drifted_columns]
    broken = [fault.column for fault in decision.dq if fault.column is not None]
    columns = ", ".join(list(dict.fromkeys(broken or drifted))[:COLUMNS_NAMED])
    facts: dict[str, object] = {
        "columns": columns or "none",
        "importance drifted": format_share(decision.impact),
        "rows in the window": decision.window.rows,
        "rows of the day": decision.window.rows_of_day,
    }
    if decision.performance is not None:
        facts["loss against its baseline"] = format_share(decision.performance.change, signed=True)
    if decision.onset is not None:
        facts["the loss is higher since"] = decision.onset
    if decision.replay is not None:
        facts["the retraining"] = "fits the champion's plan anew" if decision.replay else "searches"
    if decision.useless:
        facts["retrains in a row that did not help"] = decision.useless
    return PageSection(
        "What happens next", Alert(LEVELS[decision.verdict], decision.next), Facts(facts)
    )


def _faults(decision: Decision) -> PageSection:
    rows = [
        [fault.column or "all rows", fault.check, fault.sentence, fault.found, fault.limit]
        for fault in decision.dq
    ]
    columns = dict.fromkeys(fault.column for fault in decision.dq if fault.column is not None)
    names = [shlex.quote(column) for column in columns]
    adopted = names[0] if len(names) == len(rows) == 1 else "--all"
    command = f"perennial adopt {decision.problem} {adopted} --reason TEXT"
    return PageSection(
        "What is broken",
        TableBlock(["column", "check", "what it is", "value", "limit"], rows),
        Paragraph(
            "Where this is how the data will be from now on, a person accepts it with "
            f"`{command}`; one column of several by its name instead of --all."
        ),
    )


def _columns(columns: Sequence[ColumnDrift]) -> PageSection:
    shown = columns[:COLUMNS_IN_CHART]
    drifted = [index for index, column in enumerate(shown) if column.drifted]
    rows = [
        [
            column.name,
            _state(column),
            column.psi_corrected,
            column.limit,
            format_share(column.importance),
            column.impact,
            column.cause.replace("_", " "),
            format_share(column.missing_delta, signed=True),
        ]
        for column in columns
    ]
    head = ["column", "state", "PSI*", "limit", "importance", "impact", "cause", "missing"]
    return PageSection(
        "Which columns moved",
        Chart(
            bars(
                [column.name for column in shown],
                [column.impact for column in shown],
                title="Impact of each column",
                highlight=drifted,
            ),
            caption="Impact is importance times drift; the columns in colour have drifted.",
        ),
        Details("Every column", TableBlock(head, rows, highlight=drifted)),
    )


def _pictures(
    columns: Sequence[ColumnDrift], reference: ReferenceProfile, window: DayProfile
) -> PageSection:
    charts = []
    for column in columns[:PICTURES]:
        names, before, now = _cells(reference.columns[column.name], window, column.name)
        charts.append(Chart(histogram_pair(names, before, now, title=column.name)))
    return PageSection("Reference and now", BlockGrid(*charts))


def _cells(
    column: ColumnReference, window: DayProfile, name: str
) -> tuple[list[str], list[float], list[float]]:
    """Return names and counts of at most a dozen cells, missing last."""
    before, now = column.histogram, window.columns[name]
    if column.grid.is_numeric:
        groups = group(bins(before).astype(int))
        size = int(groups.max()) + 1
        names = [_lower_edge(column, groups.tolist(), index) for index in range(size)]
        counts = [
            [float(bins(each)[groups == index].sum()) for index in range(size)]
            for each in (before, now)
        ]
    else:
        kept = len(column.grid.levels[:LEVELS_DRAWN])
        names = [*column.grid.levels[:kept], "others"] if column.grid.levels else ["present"]
        counts = [
            [
                *map(float, each.counts[:kept]),
                float(sum(each.counts[kept:]) + each.rare + each.unseen),
            ]
            for each in (before, now)
        ]
    return (
        [*names, "missing"],
        [*counts[0], float(before.missing)],
        [*counts[1], float(now.missing)],
    )


def _lower_edge(column: ColumnReference, groups: Sequence[int], index: int) -> str:
    """Name a group of bins by its lower edge."""
    first = groups.index(index)
    return "least" if first == 0 else format_value(column.grid.edges[first - 1])


def _model(decision: Decision) -> PageSection:
    facts: dict[str, object] = {}
    performance, probe = decision.performance, decision.probe
    if performance is not None:
        facts |= {
            performance.metric.replace("_", " "): performance.cur,
            "baseline": performance.ref,
            "z": performance.z,
            "labelled rows": performance.n_labelled,
            "of all served": format_share(performance.coverage),
        }
    if probe is not None and probe.gain is not None:
        facts |= {"a refit saves": format_share(probe.gain, signed=True), "z of the refit": probe.z}
    skipped = probe.skipped if probe is not None else None
    reason = [Paragraph(f"No refit was tried: {skipped}")] if skipped else []
    return PageSection("Is the model worse, would a new one be better?", Facts(facts), *reason)


def _days_before(decisions: Sequence[Decision], policy: Policy) -> PageSection:
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


def _state(column: ColumnDrift) -> Status:
    if column.drifted:
        return Status("bad", "drifted")
    return Status("warn", "warned") if column.warned else Status("good", "steady")
