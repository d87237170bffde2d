"""The page of a day: verdict, reason, columns and what happens next, in five seconds at 06:00."""

from collections.abc import Sequence

from contract.decision import Decision
from contract.formatting import format_digest
from methods.controller.policy import Policy
from methods.drift.profile import DayProfile, ReferenceProfile
from pages import Alert, Facts, PageSection, Paragraph, Status, format_share, render
from tasks.monitoring.column_section import column_section
from tasks.monitoring.course_section import course_section
from tasks.monitoring.effect_section import effect_section
from tasks.monitoring.fault_section import fault_section
from tasks.monitoring.label_sections import label_sections
from tasks.monitoring.model_section import model_section
from tasks.monitoring.picture_section import picture_section
from tasks.monitoring.verdict_levels import LEVELS

COLUMNS_NAMED = 5


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
        sections.append(fault_section(decision))
    if columns:
        sections.append(column_section(columns))
    if reference is not None and window is not None:
        sections.append(picture_section(columns, reference, window))
    if decision.performance is not None or decision.probe is not None:
        sections.append(model_section(decision))
    sections += label_sections(decision)
    if decision.effect is not None:
        sections.append(effect_section(decision.effect))
    sections.append(course_section([*earlier, decision], policy))
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
