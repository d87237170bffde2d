"""The page of a day: its course of days, with a fault of several days as one row."""

from decision_factory import decision

from contract.decision import Decision
from contract.faults import Fault
from methods.controller.history import History
from methods.controller.policy import Policy
from tasks.monitoring.course_section import DAYS_SHOWN, earlier_decisions
from tasks.monitoring.page import page

NULL = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")


def html(*decisions: Decision, policy: Policy | None = None) -> str:
    *earlier, newest = decisions
    return page(newest, earlier, None, None, policy or Policy())


def test_blocked_days_in_a_row_are_one_row_of_the_course() -> None:
    blocked = [decision(day, "blocked_data_quality", NULL) for day in range(1, 8)]

    text = html(decision(0), *blocked, decision(8, sentence="In limits."))

    assert "2013-05-02 to 2013-05-08" in text
    assert text.count("&#39;fare&#39; is empty.") == 1
    assert "2013-05-05" not in text.split("<table", 1)[1]


def test_blocked_days_that_are_apart_are_rows_of_their_own() -> None:
    first, other = (decision(day, "blocked_data_quality", NULL) for day in (0, 2))

    text = html(first, decision(1), other, decision(3))

    assert text.count("&#39;fare&#39; is empty.") == 2


def test_the_limits_that_are_drawn_are_those_of_the_policy() -> None:
    usual = html(decision(0, impact=0.1), decision(1, impact=0.2))

    assert (
        html(decision(0, impact=0.1), decision(1, impact=0.2), policy=Policy(impact=0.9)) != usual
    )


def test_a_page_shows_four_weeks_of_days_before_it() -> None:
    decisions = [decision(day) for day in range(40)]

    shown = earlier_decisions(History(decisions, []), decisions[-1].day)

    assert shown == decisions[-1 - DAYS_SHOWN : -1]
