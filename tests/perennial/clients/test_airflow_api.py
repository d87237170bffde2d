from collections.abc import Iterator

import pytest
from fake_airflow import Script, served

from contract.errors import InvalidRequest, TryAgain
from perennial.clients.airflow_api import Airflow
from perennial.runs import TaskProgress, follow
from perennial.waits import Waits

DAG = "churn__lifecycle"
RUN = "manual__2026-01-01T00:00:00+00:00"
NO_WAITS = Waits(dag=0.0, poll=0.0)
MADE = {"outcome": "made", "facts": {"rows": 3}, "manifest": "s3://perennial/m.json"}


@pytest.fixture
def script() -> Iterator[Script]:
    with served(Script(dags={DAG})) as found:
        yield found


@pytest.fixture
def airflow(script: Script) -> Airflow:
    return Airflow(script.url, "admin", script.password, waits=NO_WAITS)


def test_a_run_is_started_without_a_logical_date(script: Script, airflow: Airflow) -> None:
    assert airflow.trigger(DAG, {"window_end": "2026-01-01T00:00:00+00:00"}) == RUN

    assert script.conf == [{"window_end": "2026-01-01T00:00:00+00:00"}]


def test_a_dag_that_does_not_come_is_one_sentence(airflow: Airflow) -> None:
    with pytest.raises(InvalidRequest, match=r"no DAG 'other' after 0 s; is its problem file"):
        airflow.trigger("other", {})


def test_a_dag_file_that_cannot_be_read_is_named(script: Script, airflow: Airflow) -> None:
    script.import_errors = [{"filename": "dags/a.py", "stack_trace": "Traceback\nNameError: b\n"}]

    with pytest.raises(InvalidRequest, match=r"could not read dags/a\.py: NameError: b"):
        airflow.trigger("other", {})


def test_a_paused_dag_is_not_started(script: Script, airflow: Airflow) -> None:
    script.paused = {DAG}

    with pytest.raises(InvalidRequest, match="is paused, so a run would wait forever; unpause it"):
        airflow.trigger(DAG, {})

    assert script.conf == []


def test_a_wrong_password_is_one_sentence(script: Script) -> None:
    with pytest.raises(InvalidRequest, match=r"refused the credentials \(401\): Invalid"):
        Airflow(script.url, "admin", "other").trigger(DAG, {})


def test_an_airflow_that_is_away_is_tried_again_later() -> None:
    with pytest.raises(
        TryAgain, match=r"does not answer at http://127\.0\.0\.1:1 \(ConnectError\)"
    ):
        Airflow("http://127.0.0.1:1", "admin", "secret").trigger(DAG, {})


def test_the_runs_of_an_unknown_dag_are_none(airflow: Airflow) -> None:
    assert airflow.runs("other") == []


def test_following_shows_each_look_and_ends_with_the_run(script: Script, airflow: Airflow) -> None:
    script.polls = [
        ("running", {"problem": "running"}),
        ("running", {"problem": "success", "collection": "running"}),
        ("success", {"problem": "success", "collection": "success"}),
    ]
    script.xcoms = {"problem": {"return_value": MADE}, "collection": {"return_value": MADE}}
    looks: list[list[tuple[str, str]]] = []

    followed = follow(
        airflow, DAG, RUN, lambda steps: looks.append([(one.name, one.state) for one in steps])
    )

    assert looks == [
        [("problem", "running")],
        [("problem", "success"), ("collection", "running")],
        [("problem", "success"), ("collection", "success")],
    ]
    assert followed.exit_code == 0
    assert followed.seconds == 2.5
    assert followed.step("collection") == TaskProgress(
        "collection", "success", 2.5, 1, "made", {"rows": 3}, "s3://perennial/m.json"
    )


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("validation: exit 3, refused: 5 % of the rows are bad", 3),
        ("problem: exit 2, invalid request: no such key", 2),
        ("collection: exit 75, try again: the store is away", 75),
        ("tuning: killed by SIGKILL (out of memory, or a lost worker?): exit", 75),
        ("training: exit 1, a bug, with its traceback in the log: KeyError", 1),
        (None, 1),
    ],
)
def test_a_failed_run_ends_as_its_failed_stage_did(
    script: Script, airflow: Airflow, why: str | None, code: int
) -> None:
    script.polls = [("failed", {"problem": "failed", "collection": "upstream_failed"})]
    script.xcoms = {"problem": {"why": why}} if why else {}

    followed = follow(airflow, DAG, RUN, lambda _: None)

    assert followed.exit_code == code
    assert [step.name for step in followed.failed] == ["problem"]
    assert followed.failed[0].why == (why or "it left no message; its log is in Airflow's pages")
