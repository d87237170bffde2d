"""What the end of a stage's pod means, and what a stage's pod may see."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROVE = "a stage must write its manifest's URI and sha256."
EXPECTED = {
    "good": ("success", ""),
    "unheard": ("success", ""),
    "silent": ("fail", f"exit 0, but it left no result; {PROVE}"),
    "cut": ("fail", f"exit 0, but it left a result that cannot be read; {PROVE}"),
    "asked": ("fail", "exit 2, invalid request: no column x."),
    "refused": ("fail", "exit 3, refused: auc 0.91 < 0.95."),
    "again": ("retry", "exit 75, try again: the store is away."),
    "bug": (
        "fail",
        "exit 1, a bug, with its traceback in the log: ZeroDivisionError: division by zero",
    ),
    "memory": (
        "fail",
        (
            "OOMKilled: it needs more memory than its limit of 2Gi; "
            "give it fewer rows or candidates, or a higher limit."
        ),
    ),
    "late": ("fail", "DeadlineExceeded: it ran longer than 7260 s; give it less to do."),
    "evicted": (
        "retry",
        "its pod was taken away (EvictionByEvictionAPI): Eviction API: evicting",
    ),
    "killed": ("retry", "killed by SIGKILL (out of memory, or a lost worker?): fitting"),
    "deleted": ("retry", "its pod was deleted; it is tried again."),
    "forbidden": ("fail", "Kubernetes refused its pod: no, says the API"),
    "image": ("fail", "ErrImagePull: pull access denied for nosuch:1"),
    "secret": ("fail", 'CreateContainerConfigError: secret "nosuch" not found'),
    "mount": (
        "fail",
        (
            "its pod did not begin: "
            'MountVolume.SetUp failed for volume "signing-key": secret not found'
        ),
    ),
    "room": (
        "retry",
        "no node has room for its pod: 0/1 nodes are available: 1 Insufficient memory.",
    ),
}
STAGES = ("problem", "collection", "training", "deployment")


@pytest.mark.parametrize("name", EXPECTED)
def test_an_end_means_one_thing_in_one_sentence(pods: Any, name: str) -> None:
    found = pods["endings"][name]

    assert (found["next"], found["sentence"]) == EXPECTED[name]


def test_a_log_is_read_once_although_the_end_is_told_late(pods: Any) -> None:
    assert pods["logs"]["unheard"] == 1


def test_no_pod_is_left_behind(pods: Any) -> None:
    made = set(EXPECTED) - {"deleted", "forbidden"}

    assert pods["left"] == []
    assert made <= set(pods["deleted"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_asked_as_a_child_process_is(pods: Any, stage: str) -> None:
    container = _container(pods, stage)

    assert container["command"] == ["python", "-m", "tasks"]
    assert container["args"] == [stage, "--out", "s3://store/x"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_pod_fits_the_restricted_standard(pods: Any, stage: str) -> None:
    spec = pods["made"][stage]["spec"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["restartPolicy"] == "Never"
    assert _container(pods, stage)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_ends_where_airflow_is_away(pods: Any, stage: str) -> None:
    spec = pods["made"][stage]["spec"]

    assert spec["activeDeadlineSeconds"] == 2 * 3_600 + 60
    assert _container(pods, stage)["resources"]["limits"].keys() == {"memory"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_given_what_its_problem_says(pods: Any, stage: str) -> None:
    container = _container(pods, stage)

    assert container["resources"] == {
        "requests": {"cpu": "2000m", "memory": "204Mi"},
        "limits": {"memory": "2Gi"},
    }
    assert {"name": "OMP_NUM_THREADS", "value": "2"} in container["env"]


def test_only_a_deployment_may_ask_the_kubernetes_api(pods: Any) -> None:
    found = {
        stage: (
            pods["made"][stage]["spec"]["serviceAccountName"],
            pods["made"][stage]["spec"]["automountServiceAccountToken"],
            "perennial/kubernetes-api" in pods["made"][stage]["metadata"]["labels"],
        )
        for stage in STAGES
    }

    assert found == {
        "problem": ("stage", False, False),
        "collection": ("stage", False, False),
        "training": ("stage", False, False),
        "deployment": ("deployer", True, True),
    }


def test_each_key_goes_to_the_stages_that_need_it(pods: Any) -> None:
    found = {
        stage: {
            volume["secret"]["secretName"]
            for volume in pods["made"][stage]["spec"]["volumes"]
            if "secret" in volume
        }
        for stage in STAGES
    }

    assert found == {
        "problem": set(),
        "collection": set(),
        "training": {"signing-key"},
        "deployment": {"verify-keys", "api-key"},
    }


def test_names_of_sources_come_out_of_the_problems_own_secret(pods: Any) -> None:
    named = {variable["name"]: variable for variable in _container(pods, "collection")["env"]}

    assert named["LANDING"]["valueFrom"]["secretKeyRef"] == {
        "key": "LANDING",
        "name": "source-for-collection",
    }
    assert "LANDING" not in {variable["name"] for variable in _container(pods, "training")["env"]}


def test_no_secret_stands_in_a_pods_own_text(pods: Any) -> None:
    """The environment that made these pods holds AWS_SECRET_ACCESS_KEY."""
    assert "secret-of-the-store" not in str(pods["made"])


def test_the_stage_problem_sees_its_files_in_a_folder(pods: Any) -> None:
    (volume,) = (
        volume["configMap"]
        for volume in pods["made"]["problem"]["spec"]["volumes"]
        if volume["name"] == "problems"
    )

    assert volume["name"] == "problems"
    assert volume["items"] == [
        {"key": f"for-problem.{file}", "path": f"for-problem/{file}"}
        for file in ("problem.yaml", "expectations.json")
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trusts_an_authority_of_the_installations_own(pods: Any, stage: str) -> None:
    container = _container(pods, stage)
    volumes = {volume["name"]: volume for volume in pods["made"][stage]["spec"]["volumes"]}

    assert {"name": "AWS_CA_BUNDLE", "value": "/authorities/ca.crt"} in container["env"]
    assert volumes["authorities"]["configMap"] == {"name": "authorities"}


def _container(pods: Any, stage: str) -> Any:
    (container,) = pods["made"][stage]["spec"]["containers"]
    return container
