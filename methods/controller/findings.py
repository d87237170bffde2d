"""What of a day the owner should know: one id as long as it lasts, so that it is told once.

The id names the condition and not the day's act: a loss that is worse is `retrain:performance` on
the day that asks and on the days on which a cool-down holds the next one back.
"""

from contract.decision import Outcome, Reason, Suppression
from contract.faults import Fault
from methods.controller.evidence import Evidence

_BY_MODE = {"auto": "retrain", "approve": "approve", "suggest": "suggest", "off": None}


def name(
    verdict: Outcome, reason: Reason | None, suppressed_by: Suppression | None, evidence: Evidence
) -> str | None:
    """Return the id of what the owner should know of the day; None: nothing."""
    if not evidence.window.rows_of_day and (evidence.shortage is not None or evidence.dq):
        return "no_rows"
    if evidence.shortage is not None:
        return "few_rows"
    if evidence.dq:
        # A day without any row is the same condition, whether rows are usual or not.
        is_empty = evidence.dq[0].check == "rows" and not evidence.window.rows_of_day
        return "no_rows" if is_empty else f"blocked:{_subject(evidence.dq[0])}"
    if reason is not None:
        mode = "breaker" if suppressed_by == "breaker" else _BY_MODE[evidence.retraining.mode]
        return mode and f"{mode}:{reason}"
    return _quiet_name(evidence) if verdict == "warn" else None


def _quiet_name(evidence: Evidence) -> str:
    """Return the id of a warning that wants no retraining."""
    labels = evidence.labels
    if labels is not None and labels.stopped:
        return "labels_stopped"
    if labels is not None and (labels.suspect or labels.unmatched):
        return "labels_suspect"
    return "drift"


def further(evidence: Evidence) -> dict[str, str]:
    """Return the ids and sentences of what else there is: further faults, and late labels."""
    subjects = dict.fromkeys(map(_subject, evidence.dq[1:]))
    first = _subject(evidence.dq[0]) if evidence.dq else None
    faults = {
        f"blocked:{subject}": next(f.sentence for f in evidence.dq if _subject(f) == subject)
        for subject in subjects
        if subject != first
    }
    return {**faults, **evidence.further_findings}


def impact(evidence: Evidence) -> float | None:
    """Return the mean loss per row above the baseline; None where it is not measured."""
    performance = evidence.performance
    return None if performance is None else round(performance.cur - performance.ref, 6)


def _subject(fault: Fault) -> str:
    """Name what is broken: the column, or the check where it is about all rows."""
    return fault.check if fault.column is None else fault.column
