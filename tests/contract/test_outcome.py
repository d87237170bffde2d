"""What came of a run is said in the product's words: never that its tasks ended."""

import pytest

from contract.manifest import Result
from contract.outcome import RunOutcome, run_outcome

CHAMPION, MODEL = "c" * 64, "d" * 64


def result(outcome: str, **facts: object) -> Result:
    return Result(manifest="s3://p/m.json", sha256="0" * 64, outcome=outcome, facts=facts)


def outcome(champion: str | None, **results: Result) -> RunOutcome:
    found = run_outcome("wine", results, champion)
    assert found is not None
    return found


def test_a_model_that_was_taken_back_leaves_no_model_and_exits_3() -> None:
    found = outcome(
        None,
        evaluation=result("accepted"),
        deployment=result("returned", reason="It was slow.", digest=MODEL),
    )

    assert found.sentence == "No model serves wine: dddddddddddd was taken back: It was slow."
    assert (found.word, found.exit_code) == ("returned", 3)


def test_a_challenger_that_was_taken_back_leaves_the_champion_and_exits_0() -> None:
    found = outcome(CHAMPION, deployment=result("returned", reason="It was slow."))

    assert found.sentence == (
        "cccccccccccc goes on serving wine: the model was taken back: It was slow."
    )
    assert found.exit_code == 0


def test_a_refused_challenger_leaves_the_champion() -> None:
    found = outcome(CHAMPION, evaluation=result("refused", reason="No gain."))

    assert found.sentence == (
        "cccccccccccc goes on serving wine: the challenger was refused: No gain."
    )
    assert (found.word, found.exit_code) == ("refused", 0)


def test_a_refused_first_model_leaves_none() -> None:
    found = outcome(None, evaluation=result("refused"))

    assert found.sentence == "No model serves wine: the model was refused."
    assert found.exit_code == 3


@pytest.mark.parametrize(("champion", "code"), [(None, 3), (CHAMPION, 0)])
def test_a_model_that_nobody_approved_is_no_success(champion: str | None, code: int) -> None:
    found = outcome(champion, evaluation=result("accepted", reason="unused"))

    assert found.sentence.endswith("was not approved.")
    assert (found.word, found.exit_code) == ("not approved", code)


def test_a_deployed_model_serves() -> None:
    found = outcome(CHAMPION, deployment=result("deployed", digest=MODEL, reason="Better."))

    assert found.sentence == "dddddddddddd serves wine now: Better."
    assert (found.word, found.exit_code) == ("deployed", 0)


def test_a_verdict_of_monitoring_is_its_own_word() -> None:
    found = outcome(
        CHAMPION, monitoring=result("blocked_data_quality", sentence="'fare' is empty.")
    )

    assert (found.word, found.sentence) == ("blocked_data_quality", "'fare' is empty.")


def test_a_run_that_came_to_no_such_end_has_no_outcome() -> None:
    assert run_outcome("wine", {"problem": result("made")}, None) is None
