"""What an empty stage is compared with imports the same libraries, and none of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.steps import EMPTY, imported


@pytest.mark.slow
def test_a_stage_stands_beside_an_interpreter_with_the_same_libraries(
    store_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = os.environ | store_environment | {"PYTHONPATH": str(Path.cwd())}
    (tmp_path / "empty.py").write_text(EMPTY)
    out = f"s3://{store_environment['PERENNIAL_BUCKET']}/traced/runs/r/empty"

    libraries = imported(tmp_path, out, environment)

    assert {"boto3", "botocore", "pydantic"} <= set(libraries)
    program = f"import {', '.join(libraries)}, sys; print(*sys.modules)"
    beside = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    modules = beside.stdout.split()
    assert set(libraries) <= set(modules)
    assert not [name for name in modules if name.split(".")[0] in {"contract", "empty"}]
