"""How good or bad each verdict is, as pages colour it."""

from contract.decision import Outcome
from pages import Level

LEVELS: dict[Outcome, Level] = {
    "ok": "good",
    "watch": "good",
    "warn": "warn",
    "retrain": "warn",
    "blocked_data_quality": "bad",
    "insufficient_data": "neutral",
}
