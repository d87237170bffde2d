"""`up` and `down` on a cluster: what is applied, what is waited for, what stays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from perennial.waits import Waits

Call = Callable[..., Result]
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"

pytestmark = pytest.mark.slow  # every call of kubectl is a process


@pytest.fixture
def bootstrapped(world: Any) -> None:
    """What the bootstrap Job makes."""
    about = {"name": "airflow-admin", "namespace": PLATFORM}
    world.add({"kind": "Secret", "metadata": about, "data": {"password": "aGlkZGVu"}})


def test_a_platform_comes_up_from_nothing(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    result = call("up", "--json")

    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["up"] is True
    assert found["airflow"] == "http://localhost:8080"
    assert found["password_command"].startswith("kubectl -n perennial get secret airflow-admin")
    assert "hidden" not in result.output
    assert world.find("Deployment", "wine-serving", SERVING) is not None
    assert "wine.problem.yaml" in world.find("ConfigMap", "problems")["data"]
    assert "quickstart names no flights and no hotel" in result.stderr


def test_a_problem_needs_no_more_than_its_line_in_the_overlay(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    file = checkout / "k8s" / "overlays" / "quickstart" / "kustomization.yaml"
    line = "  - ../../../problems/wine\n"
    file.write_text(file.read_text().replace(line, f"{line}  - ../../../problems/hotel\n"))
    (checkout / "problems" / "hotel" / "kustomization.yaml").unlink()

    result = call("up")

    assert result.exit_code == 0, result.stderr
    assert "hotel.problem.yaml" in world.find("ConfigMap", "problems")["data"]
    assert world.find("Deployment", "hotel-serving", SERVING) is not None


def test_a_database_that_no_policy_lets_a_stage_reach_is_a_warning(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    problem = checkout / "problems" / "wine" / "problem.yaml"
    text = problem.read_text()
    before = '{ kind: files, path: "${LANDING}/wine/*.csv", key: [bottle] }'
    assert before in text
    source = "{ kind: postgres, connection: CELLAR, query: SELECT * FROM wine, key: [bottle] }"
    problem.write_text(text.replace(before, source))

    result = call("up")

    told = "wine reads a database, and no network policy lets its stages out to one"
    assert result.exit_code == 0, result.stderr
    assert told in result.stdout

    file = checkout / "k8s" / "overlays" / "quickstart" / "kustomization.yaml"
    line = "  - ../../components/images\n"
    added = f"  - ../../components/database-sources\n{line}"
    file.write_text(file.read_text().replace(line, added))

    assert told not in call("up").stdout


def test_airflows_pods_are_annotated_to_load_problems_at_once(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    labels = {
        "app.kubernetes.io/name": "airflow",
        "app.kubernetes.io/part-of": "perennial",
    }
    metadata = {"name": "scheduler-x", "namespace": PLATFORM, "labels": labels}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    world.add({"kind": "Pod", "metadata": metadata, "status": ready})

    assert call("up").exit_code == 0
    assert "perennial/nudge" in world.find("Pod", "scheduler-x")["metadata"]["annotations"]


def test_a_job_that_has_ended_is_not_in_the_way_of_new_images(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    about = {"name": "bootstrap", "namespace": PLATFORM}
    world.add({"kind": "Job", "metadata": about, "spec": {"template": 1}, "status": done})

    result = call("up")

    assert result.exit_code == 0, result.stderr
    assert world.find("Job", "bootstrap")["spec"]["template"] != 1


def test_a_variable_of_this_shell_is_kept_and_no_other_is_changed(
    call: Call,
    world: Any,
    checkout: Path,
    bootstrapped: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANDING", "/here")

    first = call("up")
    monkeypatch.setenv("LANDING", "/there")
    second = call("up")

    assert "LANDING of this shell is kept in source-wine" in first.stdout
    assert "source-wine" not in second.stdout
    assert world.find("Secret", "source-wine", TASKS)["data"] == {"LANDING": "L2hlcmU="}
    assert not any("/here" in word for words in world.calls("create") for word in words)


def test_a_variable_that_is_nowhere_is_a_warning(
    call: Call,
    world: Any,
    checkout: Path,
    bootstrapped: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LANDING", raising=False)

    assert "wine mentions LANDING, which is not set; set it" in call("up").stdout


def test_an_image_that_is_not_on_the_nodes_ends_the_wait(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    image = "localhost/perennial-airflow:0.1.0"
    waiting = {"waiting": {"reason": "ErrImageNeverPull", "message": "absent"}}
    status = {"containerStatuses": [{"name": "airflow", "image": image, "state": waiting}]}
    labels = {"app.kubernetes.io/part-of": "perennial"}
    pod = {
        "kind": "Pod",
        "metadata": {"name": "api-y", "namespace": PLATFORM, "labels": labels},
        "spec": {"containers": [{"name": "airflow", "image": image}]},
        "status": status,
    }
    world.write(stuck=["api"], respawns=[pod])

    result = call("up")

    assert result.exit_code == 2
    assert f"The pod api-y has no image '{image}' (ErrImageNeverPull)" in result.stderr


def test_what_does_not_come_up_is_for_later(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    world.write(stuck=["scheduler"])

    result = call("up", waits=Waits(ready=0.0))

    assert result.exit_code == 75
    assert "waiting for Airflow's scheduler …" in result.stdout
    assert "Airflow's scheduler is not ready after 0 s: no pod has a fault; see" in result.stderr


def test_an_overlay_that_is_not_there_is_named(call: Call, world: Any, checkout: Path) -> None:
    result = call("up", "--overlay", "prod")

    assert result.exit_code == 2
    assert "There is no overlay 'prod'; known are: production, quickstart, test" in result.stderr


def test_a_cluster_that_is_away_is_for_later_before_anything_is_done(
    call: Call, world: Any, checkout: Path
) -> None:
    world.write(says="Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout")

    result = call("up")

    assert result.exit_code == 75
    assert "does not answer" in result.stderr
    assert world.calls("apply") == []


def test_a_missing_context_is_an_invalid_request(call: Call, world: Any, checkout: Path) -> None:
    result = call("--context", "wrok", "up")

    assert result.exit_code == 2
    assert "There is no context 'wrok' in your kubeconfig" in result.stderr


def test_a_missing_right_is_an_invalid_request(call: Call, world: Any, name: str) -> None:
    world.write(forbidden=["secret"])

    result = call("history", name)

    assert result.exit_code == 2
    assert 'secret is forbidden: User "u" cannot get; ask its admin for the right.' in result.stderr


def test_before_up_every_other_command_says_so(call: Call, world: Any, write_problem: Any) -> None:
    write_problem()

    for words in (["run", "churn"], ["status"], ["history", "churn"], ["gc", "churn"]):
        result = call(*words)

        assert result.exit_code == 2
        assert (
            "has no Deployment api of perennial; run `perennial --on kubernetes up`"
            in result.stderr
        )


def test_down_leaves_no_pod_and_everything_else(call: Call, world: Any, name: str) -> None:
    before = world.read()["objects"]

    result = call("down")

    assert "The platform is down (6 pods were stopped)." in result.stdout
    after = world.read()["objects"]
    assert [one["kind"] for one in after if one["kind"] == "Pod"] == []
    kept = [one["metadata"]["name"] for one in before if one["kind"] != "Pod"]
    assert [one["metadata"]["name"] for one in after] == kept
    assert world.calls("delete") == []


def test_the_stores_are_stopped_last(call: Call, world: Any, name: str) -> None:
    call("down")

    order = [words[3] for words in world.calls("patch")]
    assert {word.partition("/")[2] for word in order[-2:]} == {"seaweedfs", "postgres"}


def test_running_stages_end_with_the_platform(call: Call, world: Any, name: str) -> None:
    labels = {"app.kubernetes.io/name": "stage", "app.kubernetes.io/part-of": "perennial"}
    about = {"name": "training-x", "namespace": TASKS, "labels": labels}
    world.add({"kind": "Pod", "metadata": about, "status": {"phase": "Running"}})

    assert json.loads(call("down", "--json").stdout) == {"up": False, "stopped": 7}
    assert world.find("Pod", "training-x", TASKS) is None


def test_down_of_a_stopped_platform_says_so(call: Call, world: Any, name: str) -> None:
    call("down")

    assert call("down").stdout == "The platform was not running.\n"


def test_up_brings_back_as_many_pods_as_there_were(
    call: Call, world: Any, checkout: Path, bootstrapped: None
) -> None:
    call("up")
    world.change("Deployment", "wine-serving", lambda one: one["spec"].update(replicas=3))
    call("down")
    assert world.find("Deployment", "wine-serving", SERVING)["spec"]["replicas"] == 0

    assert call("up").exit_code == 0

    service = world.find("Deployment", "wine-serving", SERVING)
    assert service["spec"]["replicas"] == 3
    assert "perennial/replicas" not in service["metadata"].get("annotations", {})


def test_a_command_on_a_stopped_platform_says_so(call: Call, world: Any, name: str) -> None:
    call("down")

    result = call("status")

    assert result.exit_code == 2
    assert "is not up; run `perennial --on kubernetes up`." in result.stderr
