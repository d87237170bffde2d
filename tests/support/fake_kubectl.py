"""A program that answers as kubectl does, from the file `cluster.json` of its folder.

`python fake_kubectl.py FOLDER WORDS…`: what the test wrote there is the cluster, and what the command
does to it stands there afterwards. `kustomize` alone is the real one's part: it needs no cluster.
"""

import base64
import contextlib
import fcntl
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Object = dict[str, Any]
KINDS = {
    "configmap": "ConfigMap",
    "deployment": "Deployment",
    "deployments": "Deployment",
    "event": "Event",
    "events": "Event",
    "job": "Job",
    "namespace": "Namespace",
    "node": "Node",
    "nodes": "Node",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "pod": "Pod",
    "pods": "Pod",
    "replicasets": "ReplicaSet",
    "secret": "Secret",
}


def main(folder: Path, words: list[str]) -> int:
    """Do what kubectl would do."""
    with (folder / "calls").open("a") as calls:
        calls.write(json.dumps(words) + "\n")
    flags = {word.partition("=")[0]: word.partition("=")[2] for word in words if word[:2] == "--"}
    words = [word for word in words if not (word[:2] == "--" and "=" in word)]
    with _locked(folder):
        world = json.loads((folder / "cluster.json").read_text())
        context = flags.get("--context")
        if context and context not in world["contexts"]:
            return _fail(f'error: context "{context}" does not exist')
        if world["says"]:
            return _fail(world["says"])
        space, words = _taken(words, "-n", "default")
        verb, words = words[0], words[1:]
        answer = 0
        if verb not in {"kustomize", "port-forward"}:
            answer = VERBS[verb](world, space, words)
            (folder / "cluster.json").write_text(json.dumps(world, indent=1))
    if verb == "kustomize":
        os.execv(world["kubectl"], ["kubectl", "kustomize", *words])  # noqa: S606 - the real one
    if verb == "port-forward":
        return forward(folder, world, space, words)
    return answer


def get(world: Object, space: str, words: list[str]) -> int:
    """Print one object, or a list of them."""
    if words[0] == "--raw":
        sys.stdout.write(json.dumps(world["raw"].get(words[1], {})))
        return 0
    selector, words = _taken(words, "--selector", "")
    _, words = _taken(words, "--field-selector", "")
    is_patient = "--ignore-not-found" in words
    words = [word for word in words[: words.index("-o")] if word[:2] != "--"]
    if words[0] in world["forbidden"]:
        return _fail(f'Error from server (Forbidden): {words[0]} is forbidden: User "u" cannot get')
    kind, _, name = words[0].partition("/")
    name = name or (words[1] if len(words) > 1 else "")
    if name:
        found = _one(world, space, kind, name)
        if found is None:
            return 0 if is_patient else _fail(_absent(kind, name))
        sys.stdout.write(json.dumps(found))
        return 0
    kinds = {KINDS[one] for one in kind.split(",")}
    spaces = {space, "default"} if kind == "nodes" else {space}
    items = [
        one
        for one in world["objects"]
        if one["kind"] in kinds and _space(one) in spaces and _selected(one, selector)
    ]
    sys.stdout.write(json.dumps({"kind": "List", "items": items}))
    return 0


def patch(world: Object, space: str, words: list[str]) -> int:
    """Merge a body into an object; lists of named things by their names."""
    kind, _, name = words[0].partition("/")
    found = _one(world, space, kind, name)
    if found is None:
        return _fail(_absent(kind, name))
    _merge(found, _opened(json.load(sys.stdin)))
    if found["kind"] == "Deployment":
        found["metadata"]["generation"] += 1
        _settle(world, found)
    return 0


def create(world: Object, space: str, words: list[str]) -> int:
    """Add an object; a pod ends at once, as the test says."""
    del space, words
    found = _opened(json.load(sys.stdin))
    if found["kind"] == "Pod":
        found["status"] = {"phase": world["pods_end"]}
    world["objects"].append(found)
    return 0


def apply(world: Object, space: str, words: list[str]) -> int:
    """Add or change every object of a stream; a Job's template cannot change."""
    del space, words
    sys.path.append(world["packages"])
    import yaml

    for found in yaml.safe_load_all(sys.stdin):
        there = _one(world, _space(found), found["kind"].lower(), found["metadata"]["name"])
        if there is None:
            world["objects"].append(found)
        elif found["kind"] == "Job" and there["spec"]["template"] != found["spec"]["template"]:
            return _fail(f'The Job "{found["metadata"]["name"]}" is invalid: spec.template: field')
        else:
            _merge(there, found)
        if found["kind"] == "Deployment":
            there = there or found
            there["metadata"]["generation"] = there["metadata"].get("generation", 0) + 1
            _settle(world, there)
    world["objects"] += world["respawns"]
    return 0


def delete(world: Object, space: str, words: list[str]) -> int:
    """Take objects away."""
    selector, words = _taken(words, "--selector", "")
    kind, _, name = words[0].partition("/")
    before = len(world["objects"])
    world["objects"] = [
        one
        for one in world["objects"]
        if not (
            one["kind"] == KINDS[kind]
            and _space(one) == space
            and (one["metadata"]["name"] == name if name else _selected(one, selector))
        )
    ]
    is_gone = len(world["objects"]) < before
    world["objects"] += world["respawns"]
    is_patient = "--ignore-not-found" in words or bool(selector)
    return 0 if is_patient or is_gone else _fail(_absent(kind, name))


def annotate(world: Object, space: str, words: list[str]) -> int:
    """Write an annotation to selected pods."""
    selector, words = _taken(words, "--selector", "")
    key, _, value = words[-1].partition("=")
    for one in world["objects"]:
        if one["kind"] == "Pod" and _space(one) == space and _selected(one, selector):
            one["metadata"].setdefault("annotations", {})[key] = value
    return 0


def logs(world: Object, space: str, words: list[str]) -> int:
    """Print what the test says that pods say."""
    del space, words
    sys.stdout.write(world["logs"])
    return 0


VERBS = {
    "get": get,
    "patch": patch,
    "create": create,
    "apply": apply,
    "delete": delete,
    "annotate": annotate,
    "logs": logs,
}


def forward(folder: Path, world: Object, space: str, words: list[str]) -> int:
    """Carry bytes from a port of loopback to the port that the test names for the target."""
    _, words = _taken(words, "--address", "")
    target, ports = words
    remote = world["forwards"].get(f"{space} {target}")
    if remote is None:
        return _fail(_absent(*target.split("/")))
    local = int(ports.partition(":")[0])
    with socket.create_server(("127.0.0.1", local)) as server:
        with (folder / "forwards").open("a") as running:
            running.write(f"{os.getpid()} {target}\n")
        sys.stdout.write(f"Forwarding from 127.0.0.1:{local} -> 8080\n")
        sys.stdout.flush()
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", remote))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while found := near.recv(1 << 16):
            far.sendall(found)
        far.shutdown(socket.SHUT_WR)


def _settle(world: Object, deployment: Object) -> None:
    """Do what the cluster would do: as many pods as wanted, of the newest template."""
    name, wanted = deployment["metadata"]["name"], deployment["spec"].get("replicas", 1)
    if name in world["stuck"]:
        return
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)
    deployment["status"] = {"observedGeneration": deployment["metadata"]["generation"]} | counts
    for pod in [one for one in world["objects"] if one["kind"] == "Pod"]:
        if pod["metadata"].get("ownerReferences", [{}])[0].get("uid") != f"rs-{name}":
            continue
        if wanted == 0:
            world["objects"].remove(pod)
        else:
            pod["spec"] = deployment["spec"]["template"]["spec"]


def _merge(into: Object, body: Object) -> None:
    for key, value in body.items():
        there = into.get(key)
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        elif isinstance(value, list) and isinstance(there, list):
            into[key] = _merged(there, value)
        else:
            into[key] = value


def _merged(there: list[Any], body: list[Any]) -> list[Any]:
    if not all(isinstance(one, dict) and "name" in one for one in body):
        return body
    known = {one["name"]: one for one in there}
    for one in body:
        if one.get("$patch") == "delete":
            known.pop(one["name"], None)
        elif one["name"] in known:
            _merge(known[one["name"]], one)
        else:
            known[one["name"]] = one
    return list(known.values())


def _opened(found: Object) -> Object:
    """Write what stands in `stringData` as the API keeps it."""
    for key, value in found.pop("stringData", {}).items():
        found.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
    return found


def _one(world: Object, space: str, kind: str, name: str) -> Object | None:
    named = KINDS.get(kind, "")
    for one in world["objects"]:
        is_kind = one["kind"] in {named, kind} or one["kind"].lower() == kind
        is_there = named in {"Namespace", "Node"} or _space(one) == space
        if is_kind and is_there and one["metadata"]["name"] == name:
            return dict_of(one)
    return None


def dict_of(one: Any) -> Object:
    assert isinstance(one, dict)
    return one


def _space(one: Object) -> str:
    return str(one["metadata"].get("namespace", "default"))


def _selected(one: Object, selector: str) -> bool:
    labels = one["metadata"].get("labels", {})
    pairs = [pair.split("=") for pair in selector.split(",") if pair]
    return all(labels.get(key) == value for key, value in pairs)


def _taken(words: list[str], option: str, otherwise: str) -> tuple[str, list[str]]:
    if option not in words:
        return otherwise, words
    place = words.index(option)
    return words[place + 1], words[:place] + words[place + 2 :]


def _absent(kind: str, name: str) -> str:
    return f'Error from server (NotFound): {kind} "{name}" not found'


def _fail(said: str) -> int:
    sys.stderr.write(said + "\n")
    return 1


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
