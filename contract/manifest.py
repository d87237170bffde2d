"""The manifest: what a task took, what it made, and the proof that it is done.

It is written last and only once, by a conditional put: its presence is success.
Two attempts at the same time write outputs under keys that hold their own sha256, so they write
different keys or the same bytes; the first manifest decides.
"""

from typing import Any, Literal

from pydantic import AwareDatetime

from contract.artifacts import Sha256
from contract.canonical_json import canonical_json, sha256
from contract.strict import Strict


class Manifest(Strict):
    """The document `manifest.json` of a stage."""

    manifest: Literal[1] = 1
    """The version of this layout."""
    task: str
    problem: str
    run: str
    code: Sha256
    """Of the stage, the rooms that it imports and its lock."""
    inputs: dict[str, Any]
    """The value behind each `--take`."""
    params: dict[str, Any]
    outputs: dict[str, Any]
    """Artifacts by name."""
    facts: dict[str, Any]
    """What is worth knowing without opening an artifact."""
    outcome: str
    """`made`, or the word on which a DAG branches."""
    started: AwareDatetime
    seconds: float
    cpu_seconds: float

    @property
    def identity(self) -> str:
        """The sha256 of the request: equal identity, equal outputs."""
        return identity(self.task, self.code, self.inputs, self.params)


class Result(Strict):
    """What a task returns to its caller: Airflow's XCom, the termination message of a pod."""

    manifest: str
    """The URI of the manifest."""
    sha256: Sha256
    outcome: str
    facts: dict[str, Any]


def identity(task: str, code: str, inputs: dict[str, Any], params: dict[str, Any]) -> str:
    """Return the sha256 of a request to a task."""
    request = {"task": task, "code": code, "inputs": inputs, "params": params}
    return sha256(canonical_json(request))
