"""Runs of the real stages in this process: references, manifests and exit kinds as from a DAG.

Each stage goes through `contract.runtime.task.Task.carry_out`, so inputs are taken by digest, the
manifest is written last, and a run that was killed finds what it made. A stage gets the output of
its input's own name from the first stage of the run that made it, as in `dags/`.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from contract.errors import InvalidRequest
from contract.manifest import Manifest, Result
from contract.runtime.task import Task
from contract.stages import STAGES
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import stage_prefix
from contract.store.reference import Take
from contract.store.writer import Out
from methods.controller.policy import Policy
from rehearsal.deployed import deployment_task

UNUSED = "exploration"
"""Its page is taken by no stage, and nobody reads it here."""
BEFORE_VERDICT = tuple(name for name in STAGES[: STAGES.index("deployment")] if name != UNUSED)
"""The stages of a lifecycle up to the verdict, in the order of the cycle."""
BEFORE_MONITORING = ("problem", "collection")


class StageRuns:
    """The stages of one problem, in one store."""

    def __init__(
        self, store: Store, problem: str, environment: Mapping[str, str], policy: Policy
    ) -> None:
        self._store = store
        self._problem = problem
        self._environment = environment
        self._special = {"deployment": deployment_task(), "monitoring": _monitoring(policy)}

    def begin(self, run: str, params: Mapping[str, object]) -> "StageRun":
        """Return a new run; `params` are those of its first stage."""
        return StageRun(self, run, params)

    def replace(self, stage: str, task: Task[Any, Any, Any]) -> None:
        """Run `task` as that stage from now on."""
        self._special[stage] = task

    def task(self, stage: str) -> Task[Any, Any, Any]:
        """Return the stage's task."""
        task: Task[Any, Any, Any] = (
            self._special.get(stage) or import_module(f"tasks.{stage}.task").task
        )
        return task

    def carry_out(
        self, run: str, stage: str, takes: list[Take], params: Mapping[str, object]
    ) -> tuple[Result, dict[str, Any]]:
        """Run one stage; return its result and its outputs.

        Raises:
            PerennialError: as the stage does.
        """
        os.environ.update(self._environment)
        uri = self._store.uri(stage_prefix(self._problem, run, stage))
        result = self.task(stage).carry_out(self._store, takes, dict(params), uri)
        manifest = read_document(self._store, self._store.key(result.manifest), Manifest)
        return result, {} if manifest is None else manifest.outputs


class StageRun:
    """One run: the stages that it has made by now."""

    def __init__(self, stages: StageRuns, run: str, params: Mapping[str, object]) -> None:
        self._stages = stages
        self._run = run
        self._params = params
        self._made: dict[str, Result] = {}
        self.digest = ""
        """Of the model that the run has made; empty until then."""

    def run(self, stage: str) -> Result:
        """Run the next stage.

        Raises:
            InvalidRequest: no stage has made what it takes.
            PerennialError: as the stage does.
        """
        takes = []
        for name, field in self._stages.task(stage).inputs.model_fields.items():
            made = self._made.get(name)
            if made is not None:
                take = Take(name=name, manifest=made.manifest, output=name, sha256=made.sha256)
                takes.append(take)
            elif field.is_required():
                raise InvalidRequest(f"{stage} takes {name!r}, which no stage before it makes.")
        params = self._params if stage == "problem" else {}
        result, outputs = self._stages.carry_out(self._run, stage, takes, params)
        for name in outputs:
            self._made.setdefault(name, result)
        if "bundle" in outputs:
            self.digest = outputs["bundle"]["sha256"]
        return result


def write_keys(folder: Path) -> dict[str, str]:
    """Make the keys of signing and serving below `folder`, once; return their variables."""
    from bundle import signing  # noqa: PLC0415 - cryptography is needed for a new folder alone

    private, public, api = folder / "signing.pem", folder / "verify" / "own.pem", folder / "api.key"
    if not private.exists():
        key = signing.new_key()
        public.parent.mkdir(parents=True, exist_ok=True)
        public.write_bytes(signing.public_pem(key))
        api.write_text("the key of a service that nobody can reach")
        private.write_bytes(key)
    return {
        "PERENNIAL_SIGNING_KEY": str(private),
        "PERENNIAL_VERIFY_KEYS": str(public.parent),
        "PERENNIAL_API_KEY": str(api),
    }


def _monitoring(policy: Policy) -> Task[Any, Any, Any]:
    """Return the stage that decides by `policy`."""
    from tasks.monitoring import task as stage  # noqa: PLC0415 - imports numeric libraries

    def run(inputs: stage.Inputs, params: stage.Params, out: Out) -> stage.Outputs:  # noqa: ARG001 - the form of a task
        return stage.monitor(inputs, out, policy)

    hints = get_type_hints(stage.run)
    run.__annotations__ = {name: hints[name] for name in ("inputs", "params", "out", "return")}
    return Task("monitoring", run)
