"""The owner hears of broken data once, and of silence although nothing ran that could have told it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from decision_factory import DIGEST, START, decision
from fixtures_stages import Before, before

from contract.alerts import AlertState
from contract.champion import Champion
from contract.faults import Fault
from contract.store.alert_state import read_alerts
from contract.store.documents import read_artifact
from contract.store.layout import DecisionKey, SourceHeadKey
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.source_head import SourceHead
from tasks.alerts.task import Inputs, Outputs, Params, run

__all__ = ["before"]

CHAMPION = Champion(digest=DIGEST, run="r0", verdict=None, since=START, nonce="1")
FAULT = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
Evaluate = Callable[..., Outputs]


def at(days: float) -> datetime:
    return START + timedelta(days=days)


@pytest.fixture
def ground(before: Callable[..., Before]) -> Before:
    return before(owner="ada")


@pytest.fixture
def evaluate(ground: Before) -> Evaluate:
    """Run the stage at so many days after the first; a model serves, if nothing else is said."""

    def run_at(days: float, **fields: Any) -> Outputs:
        given = {"window_end": at(days), "champion": CHAMPION} | fields
        return run(Inputs(**ground.documents(**given)), Params(), ground.out("alerts"))

    return run_at


def decide(ground: Before, day: int, verdict: str = "ok", *faults: Fault) -> None:
    found = decision(day, verdict, *faults, problem=ground.problem.name)
    ground.store.put(str(DecisionKey(ground.problem.name, found.day)), found.canonical())


def state(ground: Before) -> AlertState:
    return read_alerts(ground.store, ground.problem.name)


def told(ground: Before) -> list[tuple[str, str]]:
    return [(message.event, message.finding.id) for message in state(ground).outbox]


def test_a_fault_that_lasts_is_one_message_and_its_end_another(
    ground: Before, evaluate: Evaluate
) -> None:
    for day in range(4):
        decide(ground, day, *(("ok",) if day == 3 else ("blocked_data_quality", FAULT)))
        evaluate(day + 1.25)

    assert told(ground) == [("raised", "blocked:fare"), ("cleared", "blocked:fare")]
    assert state(ground).open == ()


def test_a_quiet_day_is_quiet(ground: Before, evaluate: Evaluate) -> None:
    decide(ground, 0)

    made = evaluate(1.25)

    assert (made.outcome, made.opened, made.messages) == ("quiet", 0, 0)
    assert read_artifact(ground.store, made.alerts, AlertState).open == ()
    assert b"Nothing needs a person." in ground.store.read(made.page)


def test_a_day_without_a_verdict_is_told_and_its_verdict_ends_it(
    ground: Before, evaluate: Evaluate
) -> None:
    """Monitoring runs at 06:00 and has three hours for it."""
    decide(ground, 0)

    assert evaluate(2 + 8 / 24).outcome == "quiet"
    made = evaluate(2 + 9 / 24)
    assert (made.outcome, told(ground)) == ("open", [("raised", "no_verdict")])
    assert b"The verdict of 2013-05-02 is missing" in ground.store.read(made.page)
    decide(ground, 1)
    evaluate(2.5)

    assert told(ground) == [("raised", "no_verdict"), ("cleared", "no_verdict")]


def test_a_source_that_grows_no_more_is_told(ground: Before, evaluate: Evaluate) -> None:
    def land(generation: int) -> None:
        head = SourceHead(generation=generation, nonce=str(generation))
        key = SourceHeadKey(ground.problem.name, "rows")
        ground.store.put(str(key), head.canonical())

    for day in range(10):
        decide(ground, day)
        land(min(day + 1, 2))
        evaluate(day + 1.25)
    land(3)
    evaluate(10.5)

    assert told(ground) == [("raised", "old_data"), ("cleared", "old_data")]


def test_a_problem_whose_first_model_was_taken_back_is_told(
    ground: Before, evaluate: Evaluate
) -> None:
    entry = LedgerEntry(
        id="r/returned",
        kind="returned",
        at=START,
        written=START,
        run="r",
        digest=DIGEST,
        reason="So.",
    )
    Ledger(ground.store, ground.problem.name).append(entry)

    evaluate(1.25, champion=None)

    assert told(ground) == [("raised", "no_model")]


def test_before_the_first_model_nobody_is_told(ground: Before, evaluate: Evaluate) -> None:
    evaluate(9.25, champion=None)

    assert state(ground) == AlertState()


def test_a_run_that_is_repeated_tells_nothing_twice(ground: Before, evaluate: Evaluate) -> None:
    decide(ground, 0, "blocked_data_quality", FAULT)
    evaluate(1.25)
    before_again = state(ground)

    evaluate(1.25)

    assert state(ground) == before_again


def test_a_run_of_an_earlier_day_knows_no_later_one(ground: Before, evaluate: Evaluate) -> None:
    decide(ground, 0)
    decide(ground, 5, "blocked_data_quality", FAULT)

    assert evaluate(1.25).outcome == "quiet"
