"""`perennial adopt`: what is blocked, accepted by a person and written into the ledger."""

from collections.abc import Callable

import pytest
from click.testing import Result
from decision_factory import DIGEST, decision
from fixtures_command import document

from contract.decision import Decision
from contract.faults import Fault
from contract.store.client import Store
from contract.store.layout import DecisionKey
from contract.store.ledger import Ledger

Call = Callable[..., Result]
EMPTY = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
FEW = Fault(check="rows", column=None, found=0, limit=9, sentence="No row was answered.")


def decide(store: Store, name: str, found: Decision) -> None:
    store.put(str(DecisionKey(name, found.day)), found.canonical())


def test_a_column_is_accepted_and_the_ledger_says_by_whom(
    call: Call, store: Store, name: str
) -> None:
    decide(store, name, decision(0, "blocked_data_quality", EMPTY, FEW))

    result = call("adopt", name, "fare", "--reason", "no fares any more")

    (entry,) = Ledger(store, name).entries()
    assert result.exit_code == 0
    assert f"{name}: column fare is accepted as it was on 2013-05-01." in result.stdout
    assert (entry.kind, entry.subjects, entry.digest) == ("adopted", ("column fare",), DIGEST)
    assert (entry.reason, entry.reasons) == ("no fares any more", (EMPTY.sentence,))
    assert entry.by
    assert entry.at == decision(0).at


def test_all_accepts_everything_of_the_newest_day(call: Call, store: Store, name: str) -> None:
    decide(store, name, decision(0, "blocked_data_quality", EMPTY, FEW))

    result = call("adopt", name, "--all", "--reason", "sold", "--json")

    assert document(result)["entry"]["subjects"] == ["column fare", "rows"]


def test_what_is_accepted_can_be_taken_back(call: Call, store: Store, name: str) -> None:
    decide(store, name, decision(0, "blocked_data_quality", EMPTY))
    call("adopt", name, "fare", "--reason", "gone")

    result = call("adopt", name, "fare", "--undo", "--reason", "it came back")
    again = call("adopt", name, "fare", "--undo", "--reason", "it came back")

    assert result.exit_code == 0
    assert "column fare is compared with the reference again" in result.stdout
    assert Ledger(store, name).entries()[-1].day is None
    assert again.exit_code == 2
    assert "nothing is accepted" in again.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["age"], "column age is not blocked: on 2013-05-01"),
        ([], "A column or --all is expected, and not both."),
        (["fare", "--all"], "A column or --all is expected, and not both."),
    ],
)
def test_what_is_not_blocked_is_refused(
    call: Call, store: Store, name: str, words: list[str], sentence: str
) -> None:
    decide(store, name, decision(0, "blocked_data_quality", EMPTY))

    result = call("adopt", name, *words, "--reason", "x")

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert Ledger(store, name).entries() == []


def test_a_problem_that_is_in_limits_has_nothing_to_accept(
    call: Call, store: Store, name: str
) -> None:
    before = call("adopt", name, "--all", "--reason", "x")
    decide(store, name, decision(0))
    after = call("adopt", name, "--all", "--reason", "x")

    assert (before.exit_code, after.exit_code) == (2, 2)
    assert "No day of" in before.stderr
    assert "nothing is blocked" in after.stderr
