"""Decision records for tests: of a numbered day, with the fields that a test is about."""

from datetime import UTC, datetime, timedelta

from contract.decision import Decision, Window
from contract.faults import Fault

START = datetime(2013, 5, 1, tzinfo=UTC)
DIGEST = "a" * 64


def decision(day: int, verdict: str = "ok", *faults: Fault, **fields: object) -> Decision:
    """Return the decision of the day that begins `day` days after `START`."""
    defaults = {
        "problem": "flights",
        "day": (START + timedelta(days=day)).date(),
        "at": START + timedelta(days=day + 1),
        "run": "run",
        "digest": DIGEST,
        "verdict": verdict,
        "reason": None,
        "sentence": faults[0].sentence if faults else "",
        "next": "",
        "retrain": verdict == "retrain",
        "suppressed_by": None,
        "key": None,
        "drift_detected": False,
        "alarm": False,
        "dq": faults,
        "window": Window(days=(), rows=0, rows_of_day=0),
    }
    return Decision.model_validate(defaults | fields)
