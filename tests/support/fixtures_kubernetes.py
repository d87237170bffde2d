"""A cluster that a program pretends, the real store behind it, and a scripted Airflow."""

import base64
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from answering import Request, answering
from fake_airflow import Script, served

from contract import service_protocol as protocol
from perennial.local.home import Home

FAKE = Path(__file__).parent / "fake_kubectl.py"
PARTS = ("api", "scheduler", "dag-processor", "postgres", "seaweedfs")
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
OURS = {"app.kubernetes.io/part-of": "perennial"}
Object = dict[str, Any]


class World:
    """What the pretended cluster holds; a test changes it and looks at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "cluster.json"

    def read(self) -> Object:
        found: Object = json.loads(self._file.read_text())
        return found

    def write(self, **change: Any) -> None:
        self._file.write_text(json.dumps(self.read() | change))

    def add(self, *objects: Object) -> None:
        self.write(objects=[*self.read()["objects"], *objects])

    def remove(self, kind: str, name: str) -> None:
        kept = [
            one
            for one in self.read()["objects"]
            if (one["kind"], one["metadata"]["name"]) != (kind, name)
        ]
        self.write(objects=kept)

    def find(self, kind: str, name: str, namespace: str = PLATFORM) -> Object | None:
        for one in self.read()["objects"]:
            about = one["metadata"]
            if (one["kind"], about["name"], about.get("namespace")) == (kind, name, namespace):
                return dict(one)
        return None

    def change(self, kind: str, name: str, act: Callable[[Object], None]) -> None:
        objects = self.read()["objects"]
        for one in objects:
            if (one["kind"], one["metadata"]["name"]) == (kind, name):
                act(one)
        self.write(objects=objects)

    def calls(self, verb: str) -> list[list[str]]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [words for words in map(json.loads, lines) if verb in words]

    def forwards(self) -> list[int]:
        file = self.folder / "forwards"
        return [int(line.split()[0]) for line in file.read_text().splitlines()]

    def digest(self, problem: str) -> str | None:
        """Return what the Deployment of a problem's service pins."""
        found = self.find("Deployment", f"{problem}-serving", SERVING)
        assert found is not None
        variables = found["spec"]["template"]["spec"]["containers"][0]["env"]
        return next((one["value"] for one in variables if one["name"] == "MODEL_DIGEST"), None)


def about(name: str, namespace: str = PLATFORM, labels: Mapping[str, str] = OURS) -> Object:
    return {"name": name, "namespace": namespace, "labels": OURS | labels}


def secret(name: str, namespace: str, **data: str) -> Object:
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": about(name, namespace), "data": coded}


def config(name: str, namespace: str, data: dict[str, str]) -> Object:
    return {"kind": "ConfigMap", "metadata": about(name, namespace), "data": data}


def deployment(name: str, namespace: str = PLATFORM, problem: str = "") -> list[Object]:
    """Return a Deployment that is up, its ReplicaSet and its pod."""
    labels = {"app.kubernetes.io/name": name, "perennial/problem": problem}
    source = {"configMapRef": {"name": "airflow-1a2b"}}
    container: Object = {"name": name, "image": f"{name}:1", "env": []}
    if name == "api":
        container["envFrom"] = [source]
    top = about(name, namespace, labels)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 1)
    spec = {"containers": [container]}
    ready = {"type": "Ready", "status": "True"}
    owner = {"ownerReferences": [{"name": name, "uid": f"d-{name}"}]}
    owned = {"ownerReferences": [{"name": f"{name}-1", "uid": f"rs-{name}"}]}
    uid = {"uid": f"rs-{name}"}
    return [
        {
            "kind": "Deployment",
            "metadata": top | {"generation": 1},
            "spec": {"replicas": 1, "template": {"spec": spec}},
            "status": {"observedGeneration": 1} | counts,
        },
        {"kind": "ReplicaSet", "metadata": about(f"{name}-1", namespace, labels) | owner | uid},
        {
            "kind": "Pod",
            "metadata": about(f"{name}-1-x", namespace, labels) | owned | {"uid": f"p-{name}"},
            "spec": spec,
            "status": {"phase": "Running", "conditions": [ready]},
        },
    ]


@pytest.fixture
def script() -> Iterator[Script]:
    with served(Script()) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An empty cluster, and a kubectl on the PATH that leads to it."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    empty = {
        "contexts": ["work"],
        "forbidden": [],
        "forwards": {},
        "kubectl": str(Path(sys.executable).with_name("kubectl")),
        "logs": "",
        "objects": [],
        "packages": str(Path(yaml.__file__).parents[1]),
        "pods_end": "Succeeded",
        "raw": {},
        "respawns": [],
        "says": "",
        "stuck": [],
    }
    (folder / "cluster.json").write_text(json.dumps(empty))
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE} {folder} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("PERENNIAL_ON", "kubernetes")
    monkeypatch.delenv("PERENNIAL_CONTEXT", raising=False)
    assert shutil.which("kubectl") == str(program)
    return World(folder)


@pytest.fixture
def service(world: World) -> Iterator[tuple[int, list[Any]]]:
    """A model service that serves what its pod was told; its port, and what it was asked."""
    asked: list[Any] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append((request.path, request.authorization, request.body))
        name = next(
            one["metadata"]["labels"]["perennial/problem"]
            for one in world.read()["objects"]
            if one["kind"] == "Deployment" and one["metadata"]["namespace"] == SERVING
        )
        digest = world.digest(name)
        if request.path == protocol.PREDICT:
            return 200, {"model": digest, "score": 0.25}
        if request.path == protocol.PREDICT_BATCH:
            return 200, {"model": digest, "predictions": [{"score": 0.25}]}
        return 200, {"digest": digest, "ready": True}

    with answering(answer) as port:
        yield port, asked


@pytest.fixture
def name(  # noqa: PLR0917 - pytest passes by name
    world: World,
    script: Script,
    service: tuple[int, list[Any]],
    store_environment: dict[str, str],
    problem_name: str,
    write_problem: Callable[..., Path],
) -> str:
    """A problem on a platform that is up on the cluster."""
    text = write_problem(problem_name).read_text()
    keys = {key: store_environment[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    place = {
        "AWS_ENDPOINT_URL": "http://seaweedfs.perennial:8333",
        "PERENNIAL_BUCKET": store_environment["PERENNIAL_BUCKET"],
    }
    problems = {f"{problem_name}.problem.yaml": text}
    world.add(
        {"kind": "Namespace", "metadata": {"name": PLATFORM}},
        *(one for part in PARTS for one in deployment(part)),
        *deployment(f"{problem_name}-serving", SERVING, problem_name),
        config("airflow-1a2b", PLATFORM, {"AIRFLOW__API__BASE_URL": "http://localhost:8080"}),
        config("problems", PLATFORM, problems),
        config("images", PLATFORM, {"tasks": "tasks:1"}),
        config("store", SERVING, place),
        secret("airflow-admin", PLATFORM, username="admin", password=script.password),
        secret("store", TASKS, **keys),
        secret("api-key", TASKS, **{"api.key": "the key"}),
        secret(f"source-{problem_name}", TASKS, LANDING="/landing"),
    )
    world.write(
        forwards={
            f"{PLATFORM} service/api": int(script.url.rpartition(":")[2]),
            f"{PLATFORM} service/seaweedfs": int(
                store_environment["AWS_ENDPOINT_URL"].rpartition(":")[2]
            ),
            f"{SERVING} pod/{problem_name}-serving-1-x": service[0],
        }
    )
    script.dags = {f"{problem_name}__lifecycle", f"{problem_name}__monitoring"}
    return problem_name


@pytest.fixture
def pin(world: World, name: str) -> Callable[[str], None]:
    """Pin a digest in the pod template, and in its pod, as the stage `deployment` does."""

    def act(digest: str) -> None:
        def write(one: Object) -> None:
            spec = one["spec"].get("template", one)["spec"]
            spec["containers"][0]["name"] = "serving"
            spec["containers"][0]["env"] = [
                {"name": "MODEL_SOURCE", "value": "pinned"},
                {"name": "MODEL_DIGEST", "value": digest},
            ]

        world.change("Deployment", f"{name}-serving", write)
        world.change("Pod", f"{name}-serving-1-x", write)

    return act


@pytest.fixture
def checkout(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifests and the problems in a folder of the test's own."""
    root = Path(__file__).parents[2]
    folder = tmp_path / "checkout"
    for part in ("k8s", "problems"):
        shutil.copytree(root / part, folder / part)
    monkeypatch.setenv("PERENNIAL_PATH", str(folder))
    monkeypatch.setenv("PERENNIAL_PROBLEMS", str(folder / "problems"))
    return folder
