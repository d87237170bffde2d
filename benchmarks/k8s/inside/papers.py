"""Make models and all that a deployment takes, without training; or read the prediction log.

Runs on the stages' image beside `bundle_factory.py`. `papers.py make PLAN` prints for each run of
the plan its digest and the arguments of `python -m tasks deployment`; `papers.py log PROBLEM` the
rows of the prediction log, as `load.py` tells its answers.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
from bundle_factory import Keys, make_bundle, upload

from contract.artifacts import Bundle
from contract.manifest import Manifest
from contract.prediction_log import DIGEST, REQUEST_ID
from contract.problem import read_problem_text
from contract.run import Run
from contract.store.client import Store
from contract.store.layout import PredictionsKey, bundle_prefix, stage_prefix
from contract.store.writer import Out
from contract.verdict import Check, Verdict

SETTLE_SECONDS = 8.0  # a segment of the log is closed after 5 s at most, and shipped at once


def make(store: Store, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the digest and the arguments of each run of the plan."""
    problem, result = plan["problem"], {}
    for key in list(store.keys(f"{problem}/")):  # of an earlier trial
        store.delete(key)
    keys = Keys(Path(os.environ["SIGNING_KEY"]).read_bytes(), Path())
    digests: dict[str | None, str | None] = {None: None}
    for name, spec in plan["runs"].items():
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            made = make_bundle(scratch / "bundle", problem, keys, bias=spec["bias"])
            upload(store, problem, made)
            digests[name] = made.digest
            out = Out(store, stage_prefix(problem, name, "before"), scratch / "out")
            takes = _takes(out, problem, name, spec, made.digest, digests[spec["beats"]])
        uri = store.uri(stage_prefix(problem, name, "deployment"))
        arguments = ["deployment", *takes, "--params", "{}", "--out", uri]
        result[name] = {"digest": made.digest, "arguments": arguments}
    return result


def log(store: Store, problem: str) -> dict[str, object]:
    """Return what the prediction log holds."""
    time.sleep(SETTLE_SECONDS)
    models: Counter[str] = Counter()
    names: list[str] = []
    for key in store.keys(PredictionsKey.prefix(problem)):
        table = pq.read_table(BytesIO(store.get(key)), columns=[REQUEST_ID, DIGEST])
        names += table[REQUEST_ID].to_pylist()
        models.update(table[DIGEST].to_pylist())
    fingerprint = sum(UUID(name).int for name in names) % (1 << 128)
    return {
        "rows": len(names),
        "requests": len(set(names)),
        "models": dict(models),
        "fingerprint": f"{fingerprint:032x}",
    }


def _takes(  # noqa: PLR0917 - what a deployment takes is made of all that
    out: Out, problem: str, run: str, spec: dict[str, Any], digest: str, beats: str | None
) -> list[str]:
    text = (
        f"apiVersion: perennial/v1\nkind: Problem\nname: {problem}\nquestion: Will it?\n"
        "target: {column: answer}\nsource: {main: {kind: files, path: rows.csv}}\n"
        f"gates: {{latency_p99: 1s}}\nserving: {spec['serving']}\n"
    )
    now = datetime.now(UTC)
    this = Run(
        name=problem,
        run_id=run,
        window_start=None,
        window_end=now,
        reason="manual",
        force=False,
        salt="salt",
        champion=None,
    )
    judged = Verdict(
        verdict="accepted",
        judged=digest,
        baseline=beats,
        rule="superior" if beats else "first",
        metric="roc_auc",
        score=0.8,
        baseline_score=0.7 if beats else None,
        checks=(Check(name="beats dummy", passed=True, why="0.8 found, 0.5 expected."),),
        reasons=(),
        rows=1000,
        window_end=now,
    )
    held = {
        "problem": out.document("problem", read_problem_text(text, "problem.yaml")),
        "run": out.document("run", this),
        "verdict": out.document("verdict", judged),
        "bundle": Bundle(uri=out.store.uri(bundle_prefix(problem, digest)), sha256=digest, bytes=1),
    }
    outputs = {name: artifact.model_dump(mode="json") for name, artifact in held.items()}
    manifest = out.document(
        "manifest",
        Manifest(
            task="before",
            problem=problem,
            run=out.run,
            code="0" * 64,
            inputs={},
            params={},
            outputs=outputs,
            facts={},
            outcome="made",
            started=now,
            seconds=0.0,
            cpu_seconds=0.0,
        ),
    )
    reference = f"{manifest.uri}#{{}}@sha256:{manifest.sha256}"
    return [word for name in held for word in ("--take", f"{name}={reference.format(name)}")]


def main() -> int:
    """Do what the first word says."""
    store = Store.from_environment(os.environ)
    _, verb, given = sys.argv
    result: object = make(store, json.loads(given)) if verb == "make" else log(store, given)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
