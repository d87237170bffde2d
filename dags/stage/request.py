"""A stage's arguments, its location in the store and the environment it may see.

The same for a child process and for a pod. Nothing here knows Airflow.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import ValidationError

from contract.canonical_json import canonical_json, sha256
from contract.errors import InvalidRequest
from contract.manifest import Result
from contract.problem import Resources
from contract.runtime.environment import common_environment
from contract.stages import spec_of
from contract.store.layout import stage_prefix

PROJECT = Path(__file__).resolve().parents[2]

STORE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_SECRET_ACCESS_KEY",
    "PERENNIAL_BUCKET",
)
PROBLEMS = "PERENNIAL_PROBLEMS"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RUN_CHARACTERS = 120  # arbitrary; Airflow allows 250, and a key should stay readable


def run_key(run_id: str) -> str:
    """Return a run's name as one part of a key in the store.

    A name that had to be changed ends in 8 hex digits of its sha256, so that two runs never share
    a location.

    >>> run_key("nightly.3")
    'nightly.3'
    >>> run_key("manual__2013-10-01T00:00:00+00:00")
    'manual__2013-10-01T00-00-00-00-00-d562b394'
    """
    safe = _UNSAFE.sub("-", run_id)[:_RUN_CHARACTERS]
    if safe == run_id and safe.strip("."):
        return run_id
    return f"{safe.strip('.')}-{sha256(run_id.encode())[:8]}"


def out_uri(bucket: str, problem: str, run_id: str, stage: str) -> str:
    """Return where a stage of a run writes."""
    return f"s3://{bucket}/{stage_prefix(problem, run_key(run_id), stage)}"


def arguments(
    stage: str, takes: Mapping[str, Result], params: Mapping[str, object], out: str
) -> list[str]:
    """Return what stands behind `python -m tasks`: each take picks the output of its own name."""
    options: list[str] = []
    for name, result in sorted(takes.items()):
        options += ["--take", f"{name}={result.manifest}#{name}@sha256:{result.sha256}"]
    return [stage, *options, "--params", canonical_json(dict(params)).decode(), "--out", out]


def environment(stage: str, sources: Collection[str], airflow: Mapping[str, str]) -> dict[str, str]:
    """Return the part of Airflow's environment that `stage` may see, and what every stage has.

    `sources` are the names that the problem file mentions; only stages that read sources get them.
    """
    spec = spec_of(stage)
    names = {*STORE, *(secret.variable for secret in spec.secrets)}
    if spec.reads_problem_files:
        names.add(PROBLEMS)
    if spec.reads_sources:
        names |= set(sources)
    visible = {name: airflow[name] for name in sorted(names) if name in airflow}
    return visible | common_environment(airflow, airflow.get("PERENNIAL_PATH") or str(PROJECT))


def overridden(resources: Resources, stage: str, overrides: Mapping[str, object]) -> Resources:
    """Return a pod's resources with the run's overrides: those with the key `resources.STAGE.KEY`.

    Raises:
        InvalidRequest: a value does not fit.

    >>> overridden(Resources(), "tuning", {"resources.tuning.memory": "8Gi"}).memory
    '8Gi'
    """
    prefix = f"resources.{stage}."
    changes = {
        key.removeprefix(prefix): value
        for key, value in overrides.items()
        if key.startswith(prefix)
    }
    if not changes:
        return resources
    try:
        return Resources.model_validate(resources.model_dump() | changes)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        sentence = f"set: {prefix}{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InvalidRequest(sentence) from error


def required(name: str, airflow: Mapping[str, str]) -> str:
    """Return the value of `name` in Airflow's environment.

    Raises:
        InvalidRequest: it is not set.
    """
    value = airflow.get(name)
    if not value:
        sentence = f"{name} is not set in Airflow's environment; `perennial up` sets it."
        raise InvalidRequest(sentence)
    return value
