"""The alerts in the store, what is delivered of them, and how a person reads them."""

from datetime import UTC, datetime

import pytest

from contract.alerts import AlertEvent, AlertMessage, AlertState, OwnerFinding, describe_alert
from contract.errors import Conflict, TryAgain
from contract.problem.channels import Alerts, EmailChannel
from contract.store.alert_state import change_alerts, read_alerts
from contract.store.client import Store
from contract.store.layout import AlertsKey

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FINDING = OwnerFinding(
    id="blocked:fare",
    sentence="'fare' is empty.",
    impact="$ 0.51 a decision",
    column="fare",
    command="perennial why flights",
)


def message(event: AlertEvent = "raised", name: str = "1", **fields: object) -> AlertMessage:
    plain = {"id": name, "event": event, "at": NOON, "since": NOON, "problem": "flights"}
    return AlertMessage.model_validate(plain | {"owner": "ada", "finding": FINDING} | fields)


def test_a_message_leaves_when_every_channel_took_it() -> None:
    state = AlertState(outbox=(message(name="1"), message(name="2", delivered=("mail",))))

    state = state.mark_delivered({"1": {"slack"}, "2": {"slack"}}, {"slack", "mail"})

    assert [(each.id, each.delivered) for each in state.outbox] == [("1", ("slack",))]
    assert state.mark_delivered({"1": {"mail"}}, {"slack", "mail"}).outbox == ()


@pytest.mark.parametrize(
    ("event", "first"),
    [
        ("raised", "flights: 'fare' is empty."),
        ("reminder", "flights: still open since 2026-01-01: 'fare' is empty."),
        ("cleared", "flights: over, since 2026-01-01: 'fare' is empty."),
        ("test", "flights: 'fare' is empty."),
    ],
)
def test_a_person_reads_what_was_found_first(event: AlertEvent, first: str) -> None:
    assert describe_alert(message(event), None).splitlines()[0] == first


def test_a_person_reads_cost_column_command_and_link() -> None:
    assert describe_alert(message(), "http://airflow/day").splitlines()[1:] == [
        "Cost: $ 0.51 a decision.",
        "Look first at the column 'fare'.",
        "What to run: perennial why flights",
        "Evidence: http://airflow/day",
        "Owner: ada",
    ]


def test_what_is_not_known_is_left_out() -> None:
    bare = FINDING.model_copy(update={"impact": None, "column": None})

    assert describe_alert(message(finding=bare), None).splitlines()[1:] == [
        "What to run: perennial why flights",
        "Owner: ada",
    ]
    assert FINDING.kind == "blocked"


def test_a_state_is_written_where_it_changes(store: Store, problem_name: str) -> None:
    assert read_alerts(store, problem_name) == AlertState()
    assert change_alerts(store, problem_name, lambda state: state) == AlertState()
    assert store.get_with_etag(str(AlertsKey(problem_name))) is None

    written = change_alerts(
        store, problem_name, lambda state: state.model_copy(update={"outbox": (message(),)})
    )

    assert read_alerts(store, problem_name) == written
    assert written.nonce


def test_a_writer_that_lost_makes_its_change_anew(store: Store, problem_name: str) -> None:
    """Another message is written between reading and writing."""
    seen: list[int] = []

    def add(state: AlertState) -> AlertState:
        seen.append(len(state.outbox))
        if len(seen) == 1:
            change_alerts(store, problem_name, lambda known: _with(known, "other"))
        return _with(state, "mine")

    change_alerts(store, problem_name, add)

    assert seen == [0, 1]
    assert [each.id for each in read_alerts(store, problem_name).outbox] == ["other", "mine"]


def _with(state: AlertState, name: str) -> AlertState:
    return state.model_copy(update={"outbox": (*state.outbox, message(name=name))})


def test_too_many_writers_are_tried_again(
    store: Store, problem_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(key: str, body: bytes, etag: str | None) -> str:
        raise Conflict(key)

    monkeypatch.setattr(store, "swap", lose)

    with pytest.raises(TryAgain, match="other writers"):
        change_alerts(store, problem_name, lambda state: _with(state, "mine"))


def test_channels_name_their_environment_and_hold_no_secret() -> None:
    alerts = Alerts.model_validate(
        {
            "channels": {
                "team": {"kind": "slack", "url": "TEAM_URL"},
                "mail": {"kind": "email", "to": ["a@example.com"]},
                "plain": {"kind": "webhook", "url": "HOOK"},
                "signed": {"kind": "webhook", "url": "HOOK", "secret": "HOOK_KEY"},
            }
        }
    )

    assert alerts.environment_names() == {
        "TEAM_URL",
        "AIRFLOW_CONN_SMTP_DEFAULT",
        "HOOK",
        "HOOK_KEY",
    }
    mail = alerts.channels["mail"]
    assert isinstance(mail, EmailChannel)
    assert mail.connection_id == "smtp_default"
