"""Every overlay renders, and every pod in it is as careful as the next."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BY_HAND = "authorities"
"""The ConfigMap that a person makes, where the component `private-authority` is."""
NAMESPACES = {"perennial", "perennial-serving", "perennial-tasks"}
TOKENS = {"bootstrap", "scheduler"}
SERVED = {"production": "flights"}
"""The problem of an overlay; that of the others is wine."""

Resource = dict[str, Any]
Rendered = dict[str, list[Resource]]


def templates(rendered: Rendered) -> Iterator[tuple[str, Resource]]:
    """Each pod template with its overlay and name."""
    for overlay, resources in rendered.items():
        for resource in resources:
            if resource["kind"] in {"Deployment", "Job"}:
                yield f"{overlay}/{resource['metadata']['name']}", resource["spec"]["template"]


def containers(rendered: Rendered) -> Iterator[tuple[str, Resource]]:
    for name, template in templates(rendered):
        spec = template["spec"]
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            yield f"{name}/{container['name']}", container


def of_kind(rendered: Rendered, overlay: str, kind: str) -> dict[str, Resource]:
    return {
        f"{found['metadata'].get('namespace', '')}/{found['metadata']['name']}": found
        for found in rendered[overlay]
        if found["kind"] == kind
    }


def test_quickstart_has_every_part_once(rendered: Rendered) -> None:
    assert set(of_kind(rendered, "quickstart", "Deployment")) == {
        "perennial/api",
        "perennial/dag-processor",
        "perennial/postgres",
        "perennial/scheduler",
        "perennial/seaweedfs",
        "perennial-serving/wine-serving",
        "perennial-serving/wine-serving-canary",
    }


def test_production_has_no_store_and_makes_no_secrets(rendered: Rendered) -> None:
    assert "perennial/postgres" not in of_kind(rendered, "production", "Deployment")
    assert "perennial/seaweedfs" not in of_kind(rendered, "production", "Deployment")
    assert of_kind(rendered, "production", "Job") == {}
    claims = of_kind(rendered, "production", "PersistentVolumeClaim")
    assert claims.keys() == {"perennial-tasks/landing"}


def test_who_asks_the_store_may_leave_for_one_outside(rendered: Rendered) -> None:
    """Both overlays let the same pods ask it; `production` by an address."""
    inside, outside = (
        {
            name: policy["spec"]
            for name, policy in of_kind(rendered, overlay, "NetworkPolicy").items()
            if name.endswith("-to-store")
        }
        for overlay in ("quickstart", "production")
    )

    assert inside.keys() == outside.keys()
    for name, spec in outside.items():
        (edge,) = spec["egress"]
        assert spec["podSelector"] == inside[name]["podSelector"]
        assert [peer.keys() for peer in edge["to"]] == [{"ipBlock"}]
        assert edge["ports"] == [{"port": 443}]
    asks = [
        (policy["metadata"]["namespace"], rule)
        for policy in of_kind(rendered, "production", "NetworkPolicy").values()
        for rule in policy["spec"].get("egress", [])
    ]
    assert "seaweedfs" not in json.dumps(asks)


def test_a_store_is_named_once_for_airflow_and_the_services(rendered: Rendered) -> None:
    found = of_kind(rendered, "production", "ConfigMap")
    (airflow,) = (
        config["data"] for config in found.values() if "AIRFLOW__CORE__EXECUTOR" in config["data"]
    )
    store = found["perennial-serving/store"]["data"]

    assert store["AWS_ENDPOINT_URL"] == "https://s3.us-east-1.amazonaws.com"
    assert store.items() <= airflow.items()


def test_an_authority_of_ones_own_reaches_every_container(rendered: Rendered) -> None:
    mount = {"name": "authorities", "mountPath": "/authorities", "readOnly": True}
    ours = [
        (name, container)
        for name, container in containers({"options": rendered["options"]})
        if container["name"] in {"airflow", "migrate", "serving", "wait"}
    ]

    assert len(ours) == 8
    assert [name for name, container in ours if mount not in container["volumeMounts"]] == []
    (scheduler,) = (found for name, found in ours if name == "options/scheduler/airflow")
    result = {variable["name"]: variable.get("value") for variable in scheduler["env"]}
    assert result["PERENNIAL_AUTHORITIES"] == "authorities"
    assert result["AWS_CA_BUNDLE"] == "/authorities/ca.crt"


def test_no_secret_is_written_down(rendered: Rendered) -> None:
    assert [name for overlay in rendered for name in of_kind(rendered, overlay, "Secret")] == []


def test_production_serves_from_two_pods_one_of_which_may_leave(rendered: Rendered) -> None:
    deployment = of_kind(rendered, "production", "Deployment")["perennial-serving/flights-serving"]
    budget = of_kind(rendered, "production", "PodDisruptionBudget")
    budget_of_flights = budget["perennial-serving/flights-serving"]["spec"]

    assert deployment["spec"]["replicas"] == 2
    assert budget_of_flights["maxUnavailable"] == 1
    assert budget_of_flights["selector"] == deployment["spec"]["selector"]


def test_each_namespace_enforces_the_restricted_standard(rendered: Rendered) -> None:
    for overlay in rendered:
        found = of_kind(rendered, overlay, "Namespace")
        enforced = {
            name: space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
            for name, space in found.items()
        }

        assert enforced == {f"/{name}": "restricted" for name in NAMESPACES}


def test_every_pod_runs_as_nobody_in_particular(rendered: Rendered) -> None:
    for name, template in templates(rendered):
        context = template["spec"]["securityContext"]

        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] >= 10_000, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name


def test_every_container_has_a_read_only_root_and_no_right(rendered: Rendered) -> None:
    expected = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert [
        name for name, container in containers(rendered) if container["securityContext"] != expected
    ] == []


def test_every_container_says_what_it_needs_and_what_is_too_much(rendered: Rendered) -> None:
    for name, container in containers(rendered):
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
        assert "memory" in container["resources"]["limits"], name


def test_every_container_that_stays_is_probed(rendered: Rendered) -> None:
    for name, template in templates(rendered):
        if template["spec"].get("restartPolicy") == "OnFailure":
            continue
        for container in template["spec"]["containers"]:
            assert {"livenessProbe", "readinessProbe"} <= container.keys(), name


def test_no_probe_of_life_asks_the_database(rendered: Rendered) -> None:
    """An outage of the database must not restart Airflow."""
    api = of_kind(rendered, "quickstart", "Deployment")["perennial/api"]
    container = api["spec"]["template"]["spec"]["containers"][0]

    assert container["livenessProbe"]["httpGet"]["path"] == "/api/v2/version"


def test_every_image_is_one_of_the_list(rendered: Rendered) -> None:
    for overlay in rendered:
        listed = set(of_kind(rendered, overlay, "ConfigMap")["perennial/images"]["data"].values())
        found = {container["image"] for _, container in containers({overlay: rendered[overlay]})}

        assert found <= listed
        assert [image for image in found if image.endswith(":latest") or ":" not in image] == []


def test_one_patch_moves_every_image_to_a_registry(rendered: Rendered) -> None:
    found = {container["image"] for _, container in containers({"": rendered["production"]})}

    assert found == {
        "registry.example.com/perennial-airflow:0.1.0",
        "registry.example.com/perennial-serving:0.1.0",
    }


def test_the_scheduler_is_told_the_image_of_the_stages(rendered: Rendered) -> None:
    images = of_kind(rendered, "quickstart", "ConfigMap")["perennial/images"]["data"]
    scheduler = of_kind(rendered, "quickstart", "Deployment")["perennial/scheduler"]
    variables = scheduler["spec"]["template"]["spec"]["containers"][0]["env"]
    result = {variable["name"]: variable.get("value") for variable in variables}

    assert result["PERENNIAL_TASKS_IMAGE"] == images["tasks"]


def test_no_image_is_pulled_where_it_is_there(rendered: Rendered) -> None:
    assert {found["imagePullPolicy"] for _, found in containers(rendered)} == {"IfNotPresent"}


def test_a_token_is_mounted_only_where_it_is_used(rendered: Rendered) -> None:
    for name, template in templates(rendered):
        asks = template["metadata"]["labels"].get("perennial/kubernetes-api") == "true"

        assert template["spec"]["automountServiceAccountToken"] is asks, name
        assert asks is (name.partition("/")[2] in TOKENS), name


def test_every_pod_bears_the_recommended_labels(rendered: Rendered) -> None:
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/part-of"}

    for name, template in templates(rendered):
        assert wanted <= template["metadata"]["labels"].keys(), name


def test_every_selector_finds_its_own_pods_alone(rendered: Rendered) -> None:
    for overlay, resources in rendered.items():
        deployments = [found for found in resources if found["kind"] == "Deployment"]
        for one in deployments:
            wanted = one["spec"]["selector"]["matchLabels"].items()
            found = [
                other["metadata"]["name"]
                for other in deployments
                if other["metadata"]["namespace"] == one["metadata"]["namespace"]
                and wanted <= other["spec"]["template"]["metadata"]["labels"].items()
            ]

            assert found == [one["metadata"]["name"]], overlay


def test_two_versions_never_share_a_disk_or_a_database(rendered: Rendered) -> None:
    found = {
        name: deployment["spec"]["strategy"]["type"]
        for name, deployment in of_kind(rendered, "quickstart", "Deployment").items()
        if name.startswith("perennial/")
    }

    assert set(found.values()) == {"Recreate"}


def test_a_service_never_has_less_than_it_should(rendered: Rendered) -> None:
    deployment = of_kind(rendered, "quickstart", "Deployment")["perennial-serving/wine-serving"]

    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_the_manifest_names_no_model(rendered: Rendered) -> None:
    """What it named, the next apply would put back over the deployed one."""
    for _, container in containers(rendered):
        names = {variable["name"] for variable in container.get("env", [])}

        assert names & {"MODEL_DIGEST", "MODEL_SOURCE"} == set()


def test_a_volume_keeps_its_own_modes(rendered: Rendered) -> None:
    """PostgreSQL refuses a folder in which the group may write, as kubelet makes it by default."""
    for name, template in templates(rendered):
        context = template["spec"]["securityContext"]
        if "fsGroup" in context:
            assert context["fsGroupChangePolicy"] == "OnRootMismatch", name


@pytest.mark.parametrize("namespace", sorted(NAMESPACES))
def test_nothing_may_speak_unless_a_policy_says_so(rendered: Rendered, namespace: str) -> None:
    for overlay in rendered:
        denied = of_kind(rendered, overlay, "NetworkPolicy")[f"{namespace}/deny-all"]["spec"]

        assert denied["podSelector"] == {}
        assert denied["policyTypes"] == ["Ingress", "Egress"]
        assert "ingress" not in denied
        assert [port["port"] for rule in denied["egress"] for port in rule["ports"]] == [53, 53]


def test_only_the_kubernetes_api_is_outside_in_quickstart(rendered: Rendered) -> None:
    found = {
        name
        for name, policy in of_kind(rendered, "quickstart", "NetworkPolicy").items()
        for rule in policy["spec"].get("egress", [])
        if any("ipBlock" in peer for peer in rule.get("to", [{"ipBlock": "anything"}]))
    }

    assert found == {"perennial/kubernetes-api", "perennial-tasks/kubernetes-api"}


def test_every_policy_selects_a_pod_that_exists(rendered: Rendered) -> None:
    """Stages are pods of the schedule's making, and bear the labels of `dags/stage/pod.py`."""
    pods = [
        (resource["metadata"]["namespace"], resource["spec"]["template"]["metadata"]["labels"])
        for resource in rendered["quickstart"]
        if resource["kind"] in {"Deployment", "Job"}
    ]
    stage = {"app.kubernetes.io/name": "stage", "app.kubernetes.io/component": "deployment"}
    pods.append(("perennial-tasks", stage | {"perennial/kubernetes-api": "true"}))

    for name, policy in of_kind(rendered, "quickstart", "NetworkPolicy").items():
        selector = policy["spec"]["podSelector"]
        assert any(
            space == policy["metadata"]["namespace"] and _matches(labels, selector)
            for space, labels in pods
        ), name


def test_the_scheduler_may_do_no_more_than_run_pods_of_stages(rendered: Rendered) -> None:
    roles = of_kind(rendered, "quickstart", "Role")

    assert [
        (rule["resources"], rule["verbs"]) for rule in roles["perennial-tasks/run-stages"]["rules"]
    ] == [
        (["pods"], ["create", "get", "list", "delete"]),
        (["pods/log"], ["get"]),
        (["events"], ["list"]),
    ]


def test_a_deployment_may_patch_its_own_service_alone(rendered: Rendered) -> None:
    rules = of_kind(rendered, "quickstart", "Role")["perennial-serving/wine-deploy"]["rules"]

    assert rules == [
        {
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "resourceNames": ["wine-serving", "wine-serving-canary"],
            "verbs": ["get", "patch"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]


def test_a_route_may_be_moved_only_where_there_is_one(rendered: Rendered) -> None:
    (rule,) = of_kind(rendered, "options", "Role")["perennial-serving/wine-route"]["rules"]

    assert rule == {
        "apiGroups": ["gateway.networking.k8s.io"],
        "resources": ["httproutes"],
        "resourceNames": ["wine-serving"],
        "verbs": ["get", "patch"],
    }
    assert "perennial-serving/wine-route" not in of_kind(rendered, "quickstart", "Role")


def test_a_route_names_services_that_are_there_and_begins_with_the_champion(
    rendered: Rendered,
) -> None:
    route = of_kind(rendered, "options", "HTTPRoute")["perennial-serving/wine-serving"]
    (rule,) = route["spec"]["rules"]
    weights = {entry["name"]: entry["weight"] for entry in rule["backendRefs"]}

    assert weights == {"wine-serving-stable": 100, "wine-serving-canary": 0}
    services = of_kind(rendered, "options", "Service")
    assert {f"perennial-serving/{name}" for name in weights} <= set(services)


def test_clients_reach_both_tracks_and_each_track_has_its_own_service(rendered: Rendered) -> None:
    for overlay in rendered:
        found = {
            service: {
                name.rpartition("/")[2]
                for name, deployment in of_kind(rendered, overlay, "Deployment").items()
                if name.startswith("perennial-serving/")
                and selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
            }
            for service, selector in (
                (name.rpartition("/")[2], service["spec"]["selector"])
                for name, service in of_kind(rendered, overlay, "Service").items()
                if name.startswith("perennial-serving/")
            )
        }

        name = SERVED.get(overlay, "wine")
        assert found == {
            f"{name}-serving": {f"{name}-serving", f"{name}-serving-canary"},
            f"{name}-serving-stable": {f"{name}-serving"},
            f"{name}-serving-canary": {f"{name}-serving-canary"},
        }


def test_a_canary_sleeps_until_a_deployment_wakes_it(rendered: Rendered) -> None:
    """What the manifest said of `replicas`, the next apply would put over a canary at work."""
    for overlay in rendered:
        found = of_kind(rendered, overlay, "Deployment")
        name = SERVED.get(overlay, "wine")
        spec = found[f"perennial-serving/{name}-serving-canary"]["spec"]

        assert spec["paused"] is True
        assert "replicas" not in spec


def test_a_canary_is_the_champions_pod_but_for_its_track(rendered: Rendered) -> None:
    for overlay in rendered:
        found = of_kind(rendered, overlay, "Deployment")
        name = SERVED.get(overlay, "wine")
        text = [
            json.dumps(found[f"perennial-serving/{name}-serving{suffix}"]["spec"]["template"])
            for suffix in ("", "-canary")
        ]

        assert text[1] == text[0].replace('"stable"', '"canary"')


def test_each_track_spreads_over_the_nodes_by_itself(rendered: Rendered) -> None:
    for name, deployment in of_kind(rendered, "quickstart", "Deployment").items():
        if not name.startswith("perennial-serving/"):
            continue
        spec = deployment["spec"]
        (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]

        assert spread["labelSelector"] == spec["selector"], name


def test_nobody_has_rights_in_the_whole_cluster(rendered: Rendered) -> None:
    kinds = {found["kind"] for resources in rendered.values() for found in resources}

    assert kinds & {"ClusterRole", "ClusterRoleBinding"} == set()


def test_every_reference_to_a_configmap_is_to_one_that_is_there(rendered: Rendered) -> None:
    for overlay, resources in rendered.items():
        there = set(of_kind(rendered, overlay, "ConfigMap"))
        for resource in resources:
            if resource["kind"] not in {"Deployment", "Job"}:
                continue
            space = resource["metadata"]["namespace"]
            spec = resource["spec"]["template"]["spec"]
            wanted = {
                volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume
            }
            for container in [*spec["containers"], *spec.get("initContainers", [])]:
                sources = [entry.get("configMapRef") for entry in container.get("envFrom", [])]
                wanted |= {source["name"] for source in sources if source}

            assert {f"{space}/{name}" for name in wanted - {BY_HAND}} <= there, overlay


def _matches(labels: dict[str, str], selector: Resource) -> bool:
    equal = selector.get("matchLabels", {}).items() <= labels.items()
    within = all(
        labels.get(entry["key"]) in entry["values"]
        for entry in selector.get("matchExpressions", [])
    )
    return equal and within
