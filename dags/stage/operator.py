"""The one seam between Airflow and the stages: `Stage` runs `python -m tasks STAGE …`.

`PERENNIAL_RUNNER` chooses, when this is imported, how a stage runs: `local`, the default, is a
child process of `$PERENNIAL_PYTHON`, or where `$PERENNIAL_WARM` leads to one a fork of an
interpreter that has imported everything (`dags/stage/prefork.py`); `kubernetes` is a pod (`dags/stage/pod.py`).
Whatever runs it, the arguments, the environment's names and the meaning of the exit code come from
`request.py` and `exit_codes.py`, and so are the same.

Airflow 3.3 gives a task no way to write its own note, so the sentence of a failure stands in the
exception, in the last log line and under the XCom key `why`, from where the plugin takes it to
Airflow's first screen.
"""

import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout

from contract.errors import InvalidRequest
from contract.manifest import Result
from contract.problem import Resources
from contract.runtime.process import RESULT_BYTES, RESULT_VARIABLE
from dags.stage.exit_codes import NextState, StageResult, interpret_exit
from dags.stage.local import Child, start
from dags.stage.log_lines import readable
from dags.stage.prefork import fork_stage
from dags.stage.request import arguments, environment, out_uri, overridden, required

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dags.stage.pod import Pod

RUNNER = os.environ.get("PERENNIAL_RUNNER", "local")
if RUNNER not in {"local", "kubernetes"}:
    _SENTENCE = f"PERENNIAL_RUNNER is {RUNNER!r}; 'local' or 'kubernetes' is expected."
    raise InvalidRequest(_SENTENCE)

WHY = "why"


class Stage(BaseOperator):
    """One stage of one problem, as a child process or a pod; its task id is the stage's name.

    `takes` gives each input the upstream stage that makes it, `make_params` makes the parameters
    from the run's context, and `sources` are the environment's names that the problem file mentions.
    """

    template_fields: Sequence[str] = ("takes",)
    ui_color = "#e6eef5"

    def __init__(
        self,
        *,
        problem: str,
        takes: "Mapping[str, Stage]",
        make_params: "Callable[[Context], dict[str, object]] | None" = None,
        sources: Collection[str] = (),
        pod_resources: Resources | None = None,
        grace_seconds: float = 10.0,
        **settings: Any,  # noqa: ANN401 - whatever BaseOperator takes
    ) -> None:
        super().__init__(**settings)
        self.problem = problem
        # The reference to the upstream's XCom is also the dependency on it: written once.
        self.takes: dict[str, Any] = {name: upstream.output for name, upstream in takes.items()}
        self.make_params = make_params
        self.sources = tuple(sorted(sources))
        self.pod_resources = pod_resources or Resources()
        self.grace_seconds = grace_seconds
        self._child: Child | Pod | None = None

    def execute(self, context: "Context") -> dict[str, Any]:
        """Run the stage and return its result: manifest, sha256, outcome, facts.

        Raises:
            AirflowFailException: invalid request, refused, too late, or a bug; not tried again.
            AirflowException: killed, or store or network was away; tried again.
        """
        try:
            ended = self._run(context)
        except InvalidRequest as error:
            ended = StageResult.failed(str(error))
        except AirflowTaskTimeout:
            limit = self.execution_timeout
            ended = StageResult.failed(
                f"ran longer than its limit of {limit} and was ended; give it less to do."
            )
        if ended.result is not None:
            self._describe_assets(context, ended.result)
            return ended.result.model_dump(mode="json")
        sentence = f"{self.task_id}: {ended.sentence}"
        context["ti"].xcom_push(key=WHY, value=sentence)
        self.log.error("%s", sentence)
        is_retried = ended.next_state is NextState.RETRY
        raise (AirflowException if is_retried else AirflowFailException)(sentence)

    def on_kill(self) -> None:
        """End the stage and all its descendants."""
        if self._child is not None:
            self._child.end()

    def _run(self, context: "Context") -> StageResult:
        bucket = required("PERENNIAL_BUCKET", os.environ)
        command = arguments(
            self.task_id,
            {name: Result.model_validate(value) for name, value in self.takes.items()},
            self.make_params(context) if self.make_params else {},
            out_uri(bucket, self.problem, context["dag_run"].run_id, self.task_id),
        )
        if RUNNER == "kubernetes":
            # 0.8 CPU-s and 75 MB that reading the DAGs must not pay.
            from dags.stage.pod import Pod  # noqa: PLC0415 - the provider, which one machine does not pay for

            overrides = dict(context["params"]).get("set") or {}
            resources = overridden(self.pod_resources, self.task_id, overrides)
            self._child = Pod(self, command, resources)
            return self._child.run(context)
        return self._run_child(command)

    def _run_child(self, command: list[str]) -> StageResult:
        airflow = os.environ
        python = required("PERENNIAL_PYTHON", airflow)
        if not os.access(python, os.X_OK):
            sentence = (
                f"PERENNIAL_PYTHON is {python!r}, which cannot be run; `perennial up` sets it."
            )
            raise InvalidRequest(sentence)
        with tempfile.TemporaryDirectory(prefix=f"{self.task_id}-") as scratch:
            result = Path(scratch) / "result.json"
            # What a killed stage leaves behind goes with the folder.
            own = {RESULT_VARIABLE: str(result), "TMPDIR": scratch}
            variables = environment(self.task_id, self.sources, airflow) | own
            # `python -m` looks into its folder first: not into the one Airflow happens to stand in.
            process = fork_stage(command, variables, self.log) or start(
                [python, "-m", "tasks", *command], variables, variables["PYTHONPATH"]
            )
            child = self._child = Child(process, self.grace_seconds)
            last_line = ""
            try:
                for line in child.lines():
                    level, last_line = readable(line)
                    self.log.log(level, "%s", last_line)
                code = child.wait()
            finally:
                child.close()
            return interpret_exit(code, _read(result), last_line)

    def _describe_assets(self, context: "Context", result: Result) -> None:
        for asset in self.outlets:
            event = context["outlet_events"][asset]
            event.extra = {"outcome": result.outcome, "manifest": result.manifest}


def _read(path: Path) -> bytes:
    """Return the result's bytes, one more than are let in at most."""
    try:
        with path.open("rb") as file:
            return file.read(RESULT_BYTES + 1)
    except FileNotFoundError:
        return b""
