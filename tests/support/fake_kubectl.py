"""A program that answers as kubectl does, from the file `cluster.json` of its folder.

`python fake_kubectl.py FOLDER ARGUMENTS…`: the file is the cluster; a test writes it, and a call changes
it. Only `kustomize` runs the real kubectl: it needs no cluster.
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


def main(folder: Path, arguments: list[str]) -> int:
    """Run one call."""
    with (folder / "calls").open("a") as calls:
        calls.write(json.dumps(arguments) + "\n")
    flags = {
        argument.partition("=")[0]: argument.partition("=")[2]
        for argument in arguments
        if argument[:2] == "--"
    }
    arguments = [
        argument for argument in arguments if not (argument[:2] == "--" and "=" in argument)
    ]
    with _locked(folder):
        world = json.loads((folder / "cluster.json").read_text())
        context = flags.get("--context")
        if context and context not in world["contexts"]:
            return _fail(f'error: context "{context}" does not exist')
        if world["says"]:
            return _fail(world["says"])
        namespace, arguments = _option(arguments, "-n", "default")
        verb, arguments = arguments[0], arguments[1:]
        answer = 0
        if verb not in {"kustomize", "port-forward"}:
            answer = VERBS[verb](world, namespace, arguments)
            (folder / "cluster.json").write_text(json.dumps(world, indent=1))
    if verb == "kustomize":
        os.execv(world["kubectl"], ["kubectl", "kustomize", *arguments])  # noqa: S606 - the real one
    if verb == "port-forward":
        return forward(folder, world, namespace, arguments)
    return answer


def get(world: Object, namespace: str, arguments: list[str]) -> int:
    """Print one object, or a list of them."""
    if arguments[0] == "--raw":
        sys.stdout.write(json.dumps(world["raw"].get(arguments[1], {})))
        return 0
    selector, arguments = _option(arguments, "--selector", "")
    _, arguments = _option(arguments, "--field-selector", "")
    ignores_missing = "--ignore-not-found" in arguments
    arguments = [
        argument for argument in arguments[: arguments.index("-o")] if argument[:2] != "--"
    ]
    if arguments[0] in world["forbidden"]:
        return _fail(
            f'Error from server (Forbidden): {arguments[0]} is forbidden: User "u" cannot get'
        )
    kind, _, name = arguments[0].partition("/")
    name = name or (arguments[1] if len(arguments) > 1 else "")
    if name:
        resource = _one(world, namespace, kind, name)
        if resource is None:
            return 0 if ignores_missing else _fail(_absent(kind, name))
        sys.stdout.write(json.dumps(resource))
        return 0
    kinds = {KINDS[one] for one in kind.split(",")}
    spaces = {namespace, "default"} if kind == "nodes" else {namespace}
    items = [
        one
        for one in world["objects"]
        if one["kind"] in kinds and _namespace(one) in spaces and _selected(one, selector)
    ]
    sys.stdout.write(json.dumps({"kind": "List", "items": items}))
    return 0


def patch(world: Object, namespace: str, arguments: list[str]) -> int:
    """Merge a body into an object; lists of named things by their names."""
    kind, _, name = arguments[0].partition("/")
    resource = _one(world, namespace, kind, name)
    if resource is None:
        return _fail(_absent(kind, name))
    _merge(resource, _encoded(json.load(sys.stdin)))
    if resource["kind"] == "Deployment":
        resource["metadata"]["generation"] += 1
        _settle(world, resource)
    return 0


def create(world: Object, namespace: str, arguments: list[str]) -> int:
    """Add an object; a pod ends at once, as the test says."""
    del namespace, arguments
    resource = _encoded(json.load(sys.stdin))
    if resource["kind"] == "Pod":
        resource["status"] = {"phase": world["pods_end"]}
    world["objects"].append(resource)
    return 0


def apply(world: Object, namespace: str, arguments: list[str]) -> int:
    """Add or change every object of a stream; a Job's template cannot change."""
    del namespace, arguments
    sys.path.append(world["packages"])
    import yaml

    for resource in yaml.safe_load_all(sys.stdin):
        existing = _one(
            world, _namespace(resource), resource["kind"].lower(), resource["metadata"]["name"]
        )
        if existing is None:
            world["objects"].append(resource)
        elif (
            resource["kind"] == "Job"
            and existing["spec"]["template"] != resource["spec"]["template"]
        ):
            return _fail(
                f'The Job "{resource["metadata"]["name"]}" is invalid: spec.template: field'
            )
        else:
            _merge(existing, resource)
        if resource["kind"] == "Deployment":
            existing = existing or resource
            existing["metadata"]["generation"] = existing["metadata"].get("generation", 0) + 1
            _settle(world, existing)
    world["objects"] += world["respawns"]
    return 0


def delete(world: Object, namespace: str, arguments: list[str]) -> int:
    """Remove objects."""
    selector, arguments = _option(arguments, "--selector", "")
    kind, _, name = arguments[0].partition("/")
    before = len(world["objects"])
    world["objects"] = [
        one
        for one in world["objects"]
        if not (
            one["kind"] == KINDS[kind]
            and _namespace(one) == namespace
            and (one["metadata"]["name"] == name if name else _selected(one, selector))
        )
    ]
    is_gone = len(world["objects"]) < before
    world["objects"] += world["respawns"]
    ignores_missing = "--ignore-not-found" in arguments or bool(selector)
    return 0 if ignores_missing or is_gone else _fail(_absent(kind, name))


def annotate(world: Object, namespace: str, arguments: list[str]) -> int:
    """Write an annotation to selected pods."""
    selector, arguments = _option(arguments, "--selector", "")
    key, _, value = arguments[-1].partition("=")
    for one in world["objects"]:
        if one["kind"] == "Pod" and _namespace(one) == namespace and _selected(one, selector):
            one["metadata"].setdefault("annotations", {})[key] = value
    return 0


def logs(world: Object, namespace: str, arguments: list[str]) -> int:
    """Print the logs that the test has set."""
    del namespace, arguments
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


def forward(folder: Path, world: Object, namespace: str, arguments: list[str]) -> int:
    """Carry bytes from a port of loopback to the port that the test names for the target."""
    _, arguments = _option(arguments, "--address", "")
    target, ports = arguments
    remote = world["forwards"].get(f"{namespace} {target}")
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
        while data := near.recv(1 << 16):
            far.sendall(data)
        far.shutdown(socket.SHUT_WR)


def _settle(world: Object, deployment: Object) -> None:
    """Update status and pods as the cluster would: the wanted number, of the newest template."""
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
        existing = into.get(key)
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(existing, dict):
            _merge(existing, value)
        elif isinstance(value, list) and isinstance(existing, list):
            into[key] = _merged(existing, value)
        else:
            into[key] = value


def _merged(existing: list[Any], body: list[Any]) -> list[Any]:
    if not all(isinstance(one, dict) and "name" in one for one in body):
        return body
    known = {one["name"]: one for one in existing}
    for one in body:
        if one.get("$patch") == "delete":
            known.pop(one["name"], None)
        elif one["name"] in known:
            _merge(known[one["name"]], one)
        else:
            known[one["name"]] = one
    return list(known.values())


def _encoded(resource: Object) -> Object:
    """Encode `stringData` into `data`, as the API does."""
    for key, value in resource.pop("stringData", {}).items():
        resource.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
    return resource


def _one(world: Object, namespace: str, kind: str, name: str) -> Object | None:
    named = KINDS.get(kind, "")
    for one in world["objects"]:
        is_kind = one["kind"] in {named, kind} or one["kind"].lower() == kind
        is_there = named in {"Namespace", "Node"} or _namespace(one) == namespace
        if is_kind and is_there and one["metadata"]["name"] == name:
            return dict_of(one)
    return None


def dict_of(one: Any) -> Object:
    assert isinstance(one, dict)
    return one


def _namespace(one: Object) -> str:
    return str(one["metadata"].get("namespace", "default"))


def _selected(one: Object, selector: str) -> bool:
    labels = one["metadata"].get("labels", {})
    pairs = [pair.split("=") for pair in selector.split(",") if pair]
    return all(labels.get(key) == value for key, value in pairs)


def _option(arguments: list[str], option: str, default: str) -> tuple[str, list[str]]:
    if option not in arguments:
        return default, arguments
    index = arguments.index(option)
    return arguments[index + 1], arguments[:index] + arguments[index + 2 :]


def _absent(kind: str, name: str) -> str:
    return f'Error from server (NotFound): {kind} "{name}" not found'


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
