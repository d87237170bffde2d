"""The flights lifecycle without a platform: one process, one script, the same libraries.

    python -m benchmarks.bare FOLDER RUN.json

Every stage's own work on the same rows with the same plan, one after the other: no Airflow, no S3,
no manifest, no process and no import twice. There is nothing to deploy to. FOLDER holds a copy of
the store as the platform's run found it.
"""

import json
import os
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from contract.artifacts import Artifact
from contract.stages import STAGES
from contract.store.layout import stage_prefix
from contract.store.writer import Out
from rehearsal.folder_store import FolderStore

WORK = STAGES[: STAGES.index("deployment")]


def main(folder: Path, params: dict[str, Any]) -> None:
    """Run the stages and print CPU seconds of each as JSON."""
    store = FolderStore(os.environ["PERENNIAL_BUCKET"], folder)
    made: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name in WORK:
        began = time.process_time()
        task = import_module(f"tasks.{name}.task").task
        inputs = task.inputs(**{field: made[field] for field in task.inputs.model_fields})
        given = task.params.model_validate(params if name == "problem" else {})
        with tempfile.TemporaryDirectory() as scratch:
            out = Out(store, stage_prefix(params["name"], "bare", name), Path(scratch))
            found = task.run(inputs, given, out)
        for field in type(found).model_fields:
            value = getattr(found, field)
            if isinstance(value, Artifact | dict) and field not in {"page", "scores"}:
                made[field] = value
        seconds[name] = time.process_time() - began
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
