"""What waits is delivered to each channel once, signed, tried again, and never with a secret in a word."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from answering import Request, answering

from contract.alerts import AlertMessage, AlertState, OwnerFinding
from contract.problem import Channel, SlackChannel, WebhookChannel, read_problem_text
from contract.store.alert_state import change_alerts, read_alerts
from contract.store.client import Store
from dags.channels import NotDeliveredError, send, signed_headers
from dags.delivery import BASE_URL, WEBHOOK, DeliverOutbox, channels_of, deliver, try_channels

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTEXT: Any = {"ti": SimpleNamespace(dag_id="flights__alerts", run_id="r", task_id="alerts")}
FINDING = OwnerFinding(
    id="blocked:fare", sentence="'fare' is empty.", column="fare", command="perennial why flights"
)
HOOK = WebhookChannel(kind="webhook", url="HOOK_URL", secret="HOOK_KEY")
TEAM = SlackChannel(kind="slack", url="TEAM_URL")
CHANNELS: dict[str, Channel] = {"hook": HOOK, "team": TEAM}
PROBLEM = read_problem_text(
    """
apiVersion: perennial/v1
kind: Problem
name: flights
question: Will this departure be late?
target: { column: late }
source: { departures: { kind: files, path: rows.csv } }
alerts:
  channels:
    hook: { kind: webhook, url: HOOK_URL, secret: HOOK_KEY }
    team: { kind: slack, url: TEAM_URL }
""",
    "problem.yaml",
)


def message(event: str = "raised", name: str = "1") -> AlertMessage:
    plain = {"id": name, "event": event, "at": NOON, "since": NOON, "problem": "flights"}
    return AlertMessage.model_validate(plain | {"owner": "ada", "finding": FINDING})


@dataclass
class Receiver:
    """Answers by its script; afterwards with 200."""

    statuses: list[int] = field(default_factory=list)
    told: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, Any]:
        self.told.append(request)
        return (self.statuses.pop(0) if self.statuses else 200), {}


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Receiver]]:
    """Where the two channels lead."""
    hook, team = Receiver(), Receiver()
    monkeypatch.delenv(WEBHOOK, raising=False)
    monkeypatch.setenv("HOOK_KEY", "whsec_" + base64.b64encode(b"the key").decode())
    with answering(hook.answer) as one, answering(team.answer) as other:
        monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{one}/secret-path")
        monkeypatch.setenv("TEAM_URL", f"http://127.0.0.1:{other}/services/T0/B0/token")
        yield {"hook": hook, "team": team}


def wait_in_outbox(store: Store, problem: str, *messages: AlertMessage) -> None:
    change_alerts(store, problem, lambda _: AlertState(outbox=messages))


def test_each_channel_gets_a_message_once(
    receivers: dict[str, Receiver], store: Store, problem_name: str
) -> None:
    wait_in_outbox(store, problem_name, message())

    deliver(problem_name, CHANNELS, CONTEXT, pauses=())
    deliver(problem_name, CHANNELS, CONTEXT, pauses=())

    assert [len(receiver.told) for receiver in receivers.values()] == [1, 1]
    assert read_alerts(store, problem_name).outbox == ()
    told = receivers["team"].told[0].body["text"].splitlines()
    assert told[:3] == [
        "flights: 'fare' is empty.",
        "Look first at the column 'fare'.",
        "What to run: perennial why flights",
    ]


def test_a_channel_that_is_away_is_told_later_and_the_other_not_twice(
    receivers: dict[str, Receiver], store: Store, problem_name: str
) -> None:
    receivers["hook"].statuses = [503]
    wait_in_outbox(store, problem_name, message())

    deliver(problem_name, CHANNELS, CONTEXT, pauses=())
    assert [each.delivered for each in read_alerts(store, problem_name).outbox] == [("team",)]
    deliver(problem_name, CHANNELS, CONTEXT, pauses=())

    assert len(receivers["team"].told) == 1
    assert len(receivers["hook"].told) == 2
    assert read_alerts(store, problem_name).outbox == ()


@pytest.mark.parametrize(
    ("event", "word"), [("raised", "blocked"), ("reminder", "reminder"), ("cleared", "cleared")]
)
def test_a_program_gets_the_event_and_the_finding(
    receivers: dict[str, Receiver], store: Store, problem_name: str, event: str, word: str
) -> None:
    wait_in_outbox(store, problem_name, message(event))

    deliver(problem_name, {"hook": HOOK}, CONTEXT, pauses=())

    body = receivers["hook"].told[0].body
    assert (body["event"], body["alert"], body["column"]) == (word, "blocked:fare", "fare")
    assert (body["problem"], body["owner"], body["sentence"]) == (
        "flights",
        "ada",
        "'fare' is empty.",
    )


@pytest.mark.parametrize(
    ("day", "link"),
    [
        (date(2013, 5, 1), "http://airflow/perennial/day/flights__monitoring/2013-05-01"),
        (None, "http://airflow/perennial/problems"),
    ],
)
def test_a_message_leads_to_the_page_with_the_evidence(
    receivers: dict[str, Receiver],
    store: Store,
    problem_name: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    day: date | None,
    link: str,
) -> None:
    monkeypatch.setenv(BASE_URL, "http://airflow/")
    found = FINDING.model_copy(update={"day": day})
    wait_in_outbox(store, problem_name, message().model_copy(update={"finding": found}))

    deliver(problem_name, CHANNELS, CONTEXT, pauses=())

    assert receivers["hook"].told[0].body["link"] == link
    assert f"Evidence: {link}" in receivers["team"].told[0].body["text"]


def test_a_signature_is_over_id_time_and_body() -> None:
    """As the specification's own libraries verify it."""
    body = b'{"event": "blocked"}'

    headers = signed_headers("plain key", "flights/1", 1_700_000_000, body)

    signed = f"{headers['webhook-id']}.1700000000.".encode() + body
    digest = hmac.new(b"plain key", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert headers["webhook-timestamp"] == "1700000000"
    assert "webhook-signature" not in signed_headers(None, "flights/1", 0, body)


def test_the_key_behind_whsec_is_base64(receivers: dict[str, Receiver]) -> None:
    key = "whsec_" + base64.b64encode(b"the key").decode()

    assert signed_headers(key, "1", 0, b"") == signed_headers("the key", "1", 0, b"")
    with pytest.raises(NotDeliveredError, match="is no Base64"):
        signed_headers("whsec_%", "1", 0, b"")


@pytest.mark.parametrize(("statuses", "tries"), [([503, 429], 3), ([404], 1), ([500] * 9, 3)])
def test_only_what_may_pass_is_tried_again(
    receivers: dict[str, Receiver], statuses: list[int], tries: int
) -> None:
    receivers["team"].statuses = statuses

    with suppress(NotDeliveredError):
        send(TEAM, "text", {}, "1", pauses=(0.0, 0.0))

    assert len(receivers["team"].told) == tries


def test_no_answer_and_no_address_say_so_without_the_address(
    receivers: dict[str, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_URL", "http://127.0.0.1:1/services/token")
    with pytest.raises(NotDeliveredError, match=r"\$TEAM_URL did not take") as refused:
        send(TEAM, "text", {}, "1", pauses=())
    assert "token" not in str(refused.value)

    monkeypatch.delenv("TEAM_URL")
    with pytest.raises(NotDeliveredError, match=r"\$TEAM_URL is not set where Airflow runs"):
        send(TEAM, "text", {}, "1", pauses=())


def test_a_test_says_of_every_channel_what_it_answered(receivers: dict[str, Receiver]) -> None:
    receivers["team"].statuses = [403]

    answers = {each.channel: each for each in try_channels(PROBLEM, CONTEXT)}

    assert (answers["hook"].taken, answers["hook"].answer) == (True, "HTTP 200")
    assert not answers["team"].taken
    assert "HTTP Error 403" in answers["team"].answer
    assert receivers["hook"].told[0].body["event"] == "test"


def test_the_address_of_the_environment_is_one_more_channel(
    receivers: dict[str, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(channels_of(PROBLEM)) == ["hook", "team"]
    monkeypatch.setenv(WEBHOOK, "http://127.0.0.1:1/told")

    assert list(channels_of(PROBLEM)) == ["hook", "team", "$PERENNIAL_WEBHOOK"]


def test_a_stage_that_ends_delivers_what_waits(
    receivers: dict[str, Receiver],
    store: Store,
    store_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in store_environment.items():
        monkeypatch.setenv(name, value)
    wait_in_outbox(store, "flights", message(), message("reminder", "2"))

    DeliverOutbox(PROBLEM)(CONTEXT)

    assert [json.loads(json.dumps(each.body))["event"] for each in receivers["hook"].told] == [
        "blocked",
        "reminder",
    ]
