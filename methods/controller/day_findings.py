"""What the decision of one day means for its owner: which findings, in which column, at what cost."""

from contract.decision import Decision
from contract.faults import Fault
from contract.formatting import format_value, plain_text

# A day of these says little by itself: a person is needed where it lasts.
LASTING = frozenset({"retrain", "drift", "few_rows"})
# Their reason may change from day to day while it is one and the same thing for a person.
ONE_A_KIND = frozenset({"retrain", "approve", "suggest", "breaker"})


def findings_of(decision: Decision) -> dict[str, str]:
    """Return the findings of a day, by id, each with its sentence.

    Those of records that name none, of earlier versions, follow from the verdict.
    """
    first = decision.finding or _from_verdict(decision)
    found = {first: decision.sentence} if first else {}
    return found | decision.further_findings


def alert_id(finding: str) -> str:
    """Return the id of the alert about a decision's finding.

    >>> alert_id("retrain:benefit"), alert_id("blocked:fare")
    ('retrain', 'blocked:fare')
    """
    kind = finding.partition(":")[0]
    return kind if kind in ONE_A_KIND else finding


def is_lasting(finding: str) -> bool:
    """Return True where one day of it is nothing for a person yet.

    >>> is_lasting("retrain:benefit"), is_lasting("blocked:fare")
    (True, False)
    """
    return finding.partition(":")[0] in LASTING


def column_of(decision: Decision, finding: str) -> str | None:
    """Return the column to look at first; None where no column is known."""
    kind, _, subject = finding.partition(":")
    if kind == "blocked":
        return subject if any(fault.column == subject for fault in decision.dq) else None
    is_about_columns = kind in LASTING | ONE_A_KIND and decision.drifted_columns
    return decision.drifted_columns[0].name if is_about_columns else None


def impact_of(decision: Decision) -> str | None:
    """Return what the finding costs a row, in the unit of what is measured; None: it is not."""
    performance, value = decision.performance, decision.impact_value
    if performance is None or value is None or value <= 0:
        return None
    unit = performance.metric.replace("_", " ")
    return f"{plain_text(format_value(value))} of {unit} a row more than its baseline"


def command_for(decision: Decision, finding: str) -> str:
    """Return what a person may run about it."""
    problem = decision.problem
    kind, _, subject = finding.partition(":")
    if kind == "blocked" and column_of(decision, finding):
        return (
            f"perennial why {problem}; where the change is meant: "
            f'perennial adopt {problem} {subject} --reason "…"'
        )
    if kind in {"suggest", "breaker"}:
        return f"perennial run {problem} --reason {subject or kind}"
    if kind == "no_rows":
        return f"perennial status {problem}"
    return f"perennial why {problem}"


def _from_verdict(decision: Decision) -> str | None:
    if decision.verdict == "blocked_data_quality" and decision.dq:
        return f"blocked:{_subject(decision.dq[0])}"
    if decision.verdict == "insufficient_data" and not decision.is_brief:
        return "few_rows" if decision.window.rows_of_day else "no_rows"
    is_wanted = decision.retrain or decision.suppressed_by is not None
    if is_wanted and decision.verdict != "watch":
        return f"{'suggest' if decision.suppressed_by == 'mode' else 'retrain'}:{decision.reason}"
    return "drift" if decision.verdict == "warn" else None


def _subject(fault: Fault) -> str:
    return fault.check if fault.column is None else fault.column
