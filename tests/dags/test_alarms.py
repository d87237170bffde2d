"""Who is told what: a real HTTP server stands in for the owner's webhook."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from answering import Request, answering

from contract.problem import Problem, read_problem_text
from dags.alarms import OwnerNotifier
from dags.delivery import WEBHOOK

PROBLEM = """
apiVersion: perennial/v1
kind: Problem
name: flights
question: Will this departure be late?
target: { column: late }
source: { departures: { kind: files, path: rows.csv } }
"""


@dataclass
class Webhook:
    """Keeps what it is told."""

    told: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    def answer(self, request: Request) -> tuple[int, Any]:
        self.told.append(request.body)
        return self.status, {}


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    made = Webhook()
    with answering(made.answer) as port:
        monkeypatch.setenv(WEBHOOK, f"http://127.0.0.1:{port}/told")
        yield made


def notifier(text: str = PROBLEM) -> OwnerNotifier:
    problem: Problem = read_problem_text(text, "problem.yaml")
    return OwnerNotifier(problem, pauses=())


def context(result: Any = None, exception: Exception | None = None) -> Any:
    """What Airflow hands to a callback, as far as it is read."""
    task = SimpleNamespace(
        dag_id="flights__lifecycle",
        run_id="run-1",
        task_id="evaluation",
        xcom_pull=lambda task_ids: result if task_ids == "evaluation" else None,
    )
    return {"ti": task, "task": SimpleNamespace(owner="ops"), "exception": exception}


def test_a_failure_is_told_with_its_sentence(webhook: Webhook) -> None:
    notifier().failure(context(exception=ValueError("exit 3, refused: no rows")))

    assert webhook.told == [
        {
            "problem": "flights",
            "event": "failed",
            "sentence": "exit 3, refused: no rows",
            "owner": "ops",
            "dag": "flights__lifecycle",
            "run": "run-1",
            "task": "evaluation",
        }
    ]


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ("refused", "refused"),
        ("deployed", "promoted"),
        ("returned", "returned"),
        ("retrain", "retrain"),
    ],
)
def test_what_matters_to_the_owner_is_told(webhook: Webhook, outcome: str, event: str) -> None:
    notifier().outcome(context({"outcome": outcome, "facts": {"reason": "drift"}}))

    assert [(told["event"], told["sentence"]) for told in webhook.told] == [
        (event, f"{outcome}: drift")
    ]


@pytest.mark.parametrize(
    "result",
    [
        {"outcome": "made", "facts": {}},
        {"outcome": "ok"},
        # What lasts is an alert: told by its own message, once.
        {"outcome": "blocked_data_quality", "facts": {"blocked": "'fare' is empty."}},
        None,
    ],
)
def test_what_does_not_is_not(webhook: Webhook, result: Any) -> None:
    notifier().outcome(context(result))

    assert webhook.told == []


def test_an_alarm_that_is_not_taken_changes_nothing(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500

    notifier().failure(context(exception=ValueError("broken")))

    assert "did not take the alarm: HTTP Error 500" in caplog.text


def test_an_address_that_is_no_web_address_is_not_opened(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(WEBHOOK, "file:///etc/passwd")

    notifier().failure(context(exception=ValueError("broken")))

    assert "is no http address" in caplog.text


def test_without_an_address_nobody_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(WEBHOOK, raising=False)

    notifier().failure(context(exception=ValueError("broken")))

    assert caplog.text == ""
