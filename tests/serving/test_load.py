"""The clients of a cluster's trial count what a service answered, as its prediction log has it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_factory import ROW, Made
from service_process import API_KEY, Service, move_pointer

from contract.store.client import Store

pytestmark = pytest.mark.slow  # a service takes seconds to start

LOAD = Path(__file__).parents[2] / "benchmarks" / "k8s" / "inside" / "load.py"


def ask(url: str, *words: str) -> dict[str, Any]:
    command = [sys.executable, str(LOAD), url, "--row", json.dumps(ROW), *words]
    environment = os.environ | {"API_KEY": API_KEY}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_clients_count_is_what_the_log_holds(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    made = make("a")
    move_pointer(store, problem_name, made.digest)
    service = start({"CONNECTION_REQUESTS": "25"})
    service.wait_until_ready()

    told = ask(service.url, "--requests=400", "--rate=800", "--seconds=60")
    assert service.stop() == 0

    keys = list(store.keys(f"{problem_name}/predictions/"))
    tables = [pq.read_table(pa.BufferReader(store.get(key)), partitioning=None) for key in keys]
    names = [name for table in tables for name in table["request_id"].to_pylist()]
    sums = sum(int(name.replace("-", ""), 16) for name in names) % (1 << 128)
    assert (told["sent"], told["answered"], told["failed"]) == (400, 400, 0)
    assert told["models"] == {made.digest: 400}
    assert (len(names), f"{sums:032x}") == (400, told["fingerprint"])
    assert told["connections"] < 400  # half of the callers keep theirs


def test_clients_end_in_time_and_count_what_failed() -> None:
    told = ask("http://127.0.0.1:9", "--requests=100000", "--rate=50", "--seconds=0.5")

    assert told["sent"] == told["failed"]
    assert 0 < told["sent"] < 100
    assert "Connection refused" in told["failures"][0]
