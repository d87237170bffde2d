"""The exit codes' language, without Airflow."""

import json
import signal

import pytest

from dags.stage.exit_codes import NextState, interpret_exit

GOOD = json.dumps(
    {"manifest": "s3://store/x/manifest.json", "sha256": "b" * 64, "outcome": "made", "facts": {}}
).encode()


@pytest.mark.parametrize("code", [75, 137, 143, -signal.SIGKILL, -signal.SIGTERM])
def test_what_may_end_otherwise_is_tried_again(code: int) -> None:
    assert interpret_exit(code, b"", "").next_state is NextState.RETRY


@pytest.mark.parametrize("code", [1, 2, 3, 64, 127, -signal.SIGSEGV])
def test_what_ends_the_same_way_again_is_not(code: int) -> None:
    assert interpret_exit(code, b"", "").next_state is NextState.FAIL


def test_a_good_end_has_its_result() -> None:
    ending = interpret_exit(0, GOOD, "")

    assert ending.next_state is NextState.SUCCESS
    assert ending.result is not None
    assert ending.result.outcome == "made"


@pytest.mark.parametrize("written", [b"", b"{", b"null", b"[]", b'{"manifest": 1}', b"x" * 4_000])
def test_an_unproved_success_is_a_failure(written: bytes) -> None:
    assert interpret_exit(0, written, "").next_state is NextState.FAIL


def test_a_good_result_does_not_heal_a_bad_exit() -> None:
    assert interpret_exit(1, GOOD, "last words").sentence == (
        "exit 1, a bug, with its traceback in the log: last words"
    )


def test_silence_is_said() -> None:
    assert interpret_exit(1, b"", "").sentence.endswith("it wrote no message; see the log")
