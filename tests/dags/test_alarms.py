"""Who is told what: a real HTTP server stands in for the owner's webhook."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from answering import Request, answering

from dags import alarms


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
        monkeypatch.setenv(alarms.VARIABLE, f"http://127.0.0.1:{port}/told")
        yield made


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
    alarms.notify_failure(context(exception=ValueError("exit 3, refused: no rows")))

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
    alarms.notify_outcome(context({"outcome": outcome, "facts": {"reason": "drift"}}))

    assert [(told["event"], told["sentence"]) for told in webhook.told] == [
        (event, f"{outcome}: drift")
    ]


@pytest.mark.parametrize(
    ("outcome", "facts", "events"),
    [
        ("blocked_data_quality", {"blocked": "'fare' is empty."}, ["blocked"]),
        ("blocked_data_quality", {}, []),
        ("ok", {"cleared": "Data in limits again: 'fare'."}, ["cleared"]),
        ("ok", {"blocked": "'fare' is empty.", "cleared": "Again."}, ["blocked", "cleared"]),
        ("retrain", {"cleared": "Again.", "reason": "drift"}, ["cleared", "retrain"]),
    ],
)
def test_a_data_fault_is_told_when_it_begins_and_when_it_ends(
    webhook: Webhook, outcome: str, facts: dict[str, str], events: list[str]
) -> None:
    alarms.notify_outcome(context({"outcome": outcome, "facts": facts}))

    assert [told["event"] for told in webhook.told] == events
    sentences = {told["event"]: told["sentence"] for told in webhook.told}
    for event in {"blocked", "cleared"} & facts.keys():
        assert sentences[event] == facts[event]


@pytest.mark.parametrize("result", [{"outcome": "made", "facts": {}}, {"outcome": "ok"}, None])
def test_what_does_not_is_not(webhook: Webhook, result: Any) -> None:
    alarms.notify_outcome(context(result))

    assert webhook.told == []


def test_an_alarm_that_is_not_taken_changes_nothing(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500

    alarms.notify_failure(context(exception=ValueError("broken")))

    assert "did not take the alarm: HTTP Error 500" in caplog.text


def test_an_address_that_is_no_web_address_is_not_opened(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(alarms.VARIABLE, "file:///etc/passwd")

    alarms.notify_failure(context(exception=ValueError("broken")))

    assert "is no http address" in caplog.text


def test_without_an_address_nobody_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(alarms.VARIABLE, raising=False)

    alarms.notify_failure(context(exception=ValueError("broken")))

    assert caplog.text == ""
