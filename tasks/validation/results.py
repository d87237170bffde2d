"""What was checked of a source, and when it is refused; apart from any engine.

A critical check that fails on rows sets these rows aside; on the whole table it refuses the run.
A warning is shown and lets the run pass; an information is kept. A check that cannot be judged
refuses.
"""

from collections.abc import Sequence
from typing import Literal

from contract.errors import Refused
from contract.strict import Strict

Severity = Literal["critical", "warning", "info"]
SHOWN = 3  # reasons in one sentence; the rest stands on the page of the last run that passed


class CheckResult(Strict):
    """One check of one source."""

    source: str
    name: str
    """What is expected, as a person reads it: `distance between 0 and 6000`."""
    severity: Severity
    success: bool
    bad_rows: int | None
    """Rows that fail; None where the check is of the whole table."""
    observed: str
    """What was found, for a person."""


class SourceReport(Strict):
    """A source after validation."""

    source: str
    rows: int
    """Current rows before any was set aside."""
    quarantined: int
    checks: tuple[CheckResult, ...]

    @property
    def share(self) -> float:
        """Rows set aside of all, in [0, 1]."""
        return self.quarantined / self.rows if self.rows else 0.0


def require_trust(report: SourceReport, reasons: Sequence[tuple[str, int]], budget: float) -> None:
    """Refuse a source whose data cannot be trusted; return where they can.

    Args:
        report: of the source.
        reasons: why rows were set aside and how many, most first.
        budget: the share of rows that may be set aside, in [0, 1].

    Raises:
        Refused: a critical check of the whole table failed, or the budget is exceeded.
    """
    failed = [
        check
        for check in report.checks
        if check.severity == "critical" and not check.success and check.bad_rows is None
    ]
    if failed:
        details = "; ".join(f"{check.name}: {check.observed}" for check in failed[:SHOWN])
        sentence = (
            f"The source {report.source!r} fails {len(failed)} critical "
            f"{'check' if len(failed) == 1 else 'checks'}: {details}. "
            "Repair the data, or correct the expectation."
        )
        raise Refused(sentence)
    if report.share > budget:
        details = "; ".join(f"{reason} ({count} rows)" for reason, count in reasons[:SHOWN])
        sentence = (
            f"{report.quarantined} of {report.rows} rows of the source {report.source!r} "
            f"({report.share:.2%}) fail critical checks, {budget:.2%} are allowed: {details}. "
            "Repair the data, correct the expectation, or raise checks.quarantine.budget."
        )
        raise Refused(sentence)
    if report.quarantined == report.rows:
        sentence = f"No row of the source {report.source!r} is left; {report.rows} were set aside."
        raise Refused(sentence)
