"""How a stage is asked: its arguments, its place in the store and the environment it may see.

The same for a child process and for a pod. Nothing here knows Airflow.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from contract.canonical_json import canonical_json, sha256
from contract.errors import AskedWrongly
from contract.manifest import Result
from contract.problem import Resources
from contract.store.layout import stage_prefix

PROJECT = Path(__file__).resolve().parents[2]

ALWAYS = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
STORE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_SECRET_ACCESS_KEY",
    "PERENNIAL_BUCKET",
)
# Who may sign is not who may judge or deploy: each key goes to the stages that need it.
BY_STAGE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "problem": ("PERENNIAL_PROBLEMS",),
        "training": ("PERENNIAL_SIGNING_KEY",),
        "evaluation": ("PERENNIAL_VERIFY_KEYS",),
        "deployment": ("PERENNIAL_VERIFY_KEYS", "PERENNIAL_API_KEY"),
        "monitoring": ("PERENNIAL_VERIFY_KEYS",),
    }
)
READS_SOURCES = frozenset({"collection", "monitoring"})
SILENT: Mapping[str, str] = MappingProxyType(
    {"BENTOML_DO_NOT_TRACK": "True", "GX_ANALYTICS_ENABLED": "false"}
)

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RUN_CHARACTERS = 120  # arbitrary; Airflow allows 250, and a key should stay readable


def run_key(run_id: str) -> str:
    """Return a run's name as one part of a key in the store.

    A name that had to be changed ends in 8 hex digits of its sha256, so that two runs never share
    a place.

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
    """Return the words behind `python -m tasks`: each take picks the output of its own name."""
    words = [stage]
    for name, result in sorted(takes.items()):
        words += ["--take", f"{name}={result.manifest}#{name}@sha256:{result.sha256}"]
    return [*words, "--params", canonical_json(dict(params)).decode(), "--out", out]


def environment(stage: str, sources: Collection[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `given` that `stage` may see, and what every stage is told.

    `sources` are the names that the problem file mentions; only stages that read sources get them.
    """
    names = {*ALWAYS, *STORE, *BY_STAGE.get(stage, ())}
    if stage in READS_SOURCES:
        names |= set(sources)
    seen = {name: given[name] for name in sorted(names) if name in given}
    path = given.get("PERENNIAL_PATH") or str(PROJECT)
    return {**seen, **SILENT, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def overridden(needs: Resources, stage: str, asked: Mapping[str, object]) -> Resources:
    """Return what a stage's pod is given, as the run asks: `resources.STAGE.KEY` of its overrides.

    Raises:
        AskedWrongly: a value does not fit.

    >>> overridden(Resources(), "tuning", {"resources.tuning.memory": "8Gi"}).memory
    '8Gi'
    """
    place = f"resources.{stage}."
    given = {
        key.removeprefix(place): value for key, value in asked.items() if key.startswith(place)
    }
    if not given:
        return needs
    try:
        return Resources.model_validate(needs.model_dump() | given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        sentence = f"set: {place}{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise AskedWrongly(sentence) from error


def required(name: str, given: Mapping[str, str]) -> str:
    """Return the value of `name`.

    Raises:
        AskedWrongly: it is not set.
    """
    value = given.get(name)
    if not value:
        sentence = f"{name} is not set in Airflow's environment; `perennial up` sets it."
        raise AskedWrongly(sentence)
    return value
