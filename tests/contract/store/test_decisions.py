"""The decisions of days: all, the newest alone, or that of one day."""

from decision_factory import decision

from contract.store.client import Store
from contract.store.decisions import decided_days, read_decision, read_decisions
from contract.store.layout import DecisionKey


def test_decisions_are_read_by_their_days(store: Store, problem_name: str) -> None:
    made = [decision(day) for day in range(3)]
    for each in reversed(made):
        store.put(str(DecisionKey(problem_name, each.day)), each.canonical())

    assert decided_days(store, problem_name) == [each.day for each in made]
    assert read_decisions(store, problem_name) == made
    assert read_decision(store, problem_name, made[1].day) == made[1]


def test_the_newest_are_read_without_the_others(store: Store, problem_name: str) -> None:
    store.put(str(DecisionKey(problem_name, decision(0).day)), b"damaged")
    newest = decision(1)
    store.put(str(DecisionKey(problem_name, newest.day)), newest.canonical())

    assert read_decisions(store, problem_name, last=1) == [newest]


def test_a_day_without_one_has_none(store: Store, problem_name: str) -> None:
    assert read_decision(store, problem_name, decision(0).day) is None
    assert read_decisions(store, problem_name, last=1) == []
