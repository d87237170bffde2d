"""kill -9 on the stage as a process: run again, it gives the same snapshot."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures_sources import collected, collection_command
from fixtures_stages import Before, before
from waiting import wait_until

from contract.artifacts import Table
from contract.store.client import Store
from methods.tables.parquet import read_table

__all__ = ["before"]

ROWS = 200_000


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["reading", "written"])
def test_a_killed_collection_is_run_again(
    before: Callable[..., Before], store: Store, tmp_path: Path, moment: str
) -> None:
    source = {"kind": "files", "path": str(tmp_path / "rows.csv"), "key": ["id"]}
    (tmp_path / "rows.csv").write_text("id,y\n" + "".join(f"{i},{i % 7}\n" for i in range(ROWS)))
    stage = before(source={"rows": source})
    words = collection_command(stage)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    prefix = f"{stage.problem.name}/raw/rows/runs/"

    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    def is_the_moment() -> bool:
        if moment == "reading":
            return any(scratch.glob("*/*/work.duckdb")) or process.poll() is not None
        return next(store.keys(prefix), None) is not None or process.poll() is not None

    wait_until(is_the_moment, f"the collection is {moment}", poll_seconds=0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run(words, env=environment, capture_output=True, check=False, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    parts: tuple[Table, ...] = collected(store, stage.problem.name).sources["rows"].parts
    assert [ROWS] == [part.rows for part in parts]
    assert ROWS == len(set(read_table(store, parts[0])["id"].to_pylist()))
