"""The service's life: before a model, swaps under load, a bad model, SIGTERM, kill -9."""

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_factory import ROW, Made
from service_process import Service, move_pointer
from waiting import LIMIT_SECONDS, wait_until

from contract.service_protocol import FEEDBACK, INFO, LIVE, METRICS, PREDICT, PREDICT_BATCH, READY
from contract.store.client import Store

pytestmark = pytest.mark.slow  # a service takes seconds to start


@dataclass
class Load:
    """Callers that keep their connection, as clients do, until they are told to close it."""

    service: Service
    reconnects: bool = False
    """Whether a caller goes on with a new connection when it was told to close its own."""
    answers: dict[str, str] = field(default_factory=dict)
    """Digest by request id."""
    failures: list[str] = field(default_factory=list)
    closed: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.threads = [threading.Thread(target=self._call) for _ in range(4)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(LIMIT_SECONDS)

    def _call(self) -> None:
        body, headers = json.dumps(ROW), self.service.headers
        connection = http.client.HTTPConnection(self.service.address, timeout=LIMIT_SECONDS)
        while not self.stop.is_set():
            try:
                connection.request("POST", PREDICT, body, headers)
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(repr(error))
                break
            if answer.status != 200:
                self.failures.append(str(answer.status))
                break
            self.answers[told["request_id"]] = told["model"]
            if answer.getheader("connection") == "close":
                self.closed += 1
                if not self.reconnects:
                    break
        connection.close()


def logged(store: Store, problem: str, kind: str = "predictions") -> pa.Table:
    """Return all that is in the store of a log."""
    keys = [key for key in store.keys(f"{problem}/{kind}/") if key.endswith(".parquet")]
    return pa.concat_tables(
        [pq.read_table(pa.BufferReader(store.get(key)), partitioning=None) for key in keys]
    )


def test_before_any_model_it_is_up_and_says_that_it_is_not_ready(
    start: Callable[..., Service], problem_name: str
) -> None:
    service = start()
    ready = service.ask("GET", READY)
    answer = service.ask("POST", PREDICT, ROW)

    assert service.ask("GET", LIVE).status == 200
    assert (ready.status, answer.status) == (503, 503)
    assert ready.json["error"].startswith(f"No model is deployed for '{problem_name}' yet")
    assert answer.json["error"] == ready.json["error"]


def test_models_are_swapped_under_load_without_a_failed_request(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    models = [make("a"), make("b", bias=0.5), make("c", kind="multiclass")]
    move_pointer(store, problem_name, models[0].digest)
    service = start()
    service.wait_until_ready()

    with Load(service, reconnects=True) as load:
        for made in [*models[1:], *models]:
            move_pointer(store, problem_name, made.digest)
            wait_until(
                lambda made=made: made.digest in list(load.answers.values())[-20:],
                f"{made.digest} answers",
            )
    assert service.stop() == 0

    assert load.failures == []
    assert set(load.answers.values()) == {made.digest for made in models}
    keys = list(store.keys(f"{problem_name}/predictions/"))
    rows = [pq.read_table(pa.BufferReader(store.get(key))).to_pylist() for key in keys]
    found = {row["request_id"]: row["digest"] for part in rows for row in part}
    assert found == load.answers
    assert sum(map(len, rows)) == len(load.answers)


def test_a_bad_model_leaves_the_old_one_and_says_why(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    old, bad = make("old"), make("bad", bias=0.5)
    store.put(f"{problem_name}/models/sha256/{bad.digest}/golden.json", b"{}")
    move_pointer(store, problem_name, old.digest)
    service = start()
    service.wait_until_ready()
    move_pointer(store, problem_name, bad.digest)
    wait_until(lambda: service.ask("GET", INFO).json["error"], "the bad model is refused")

    info, ready = service.ask("GET", INFO).json, service.ask("GET", READY)
    assert (info["digest"], info["error"]["digest"]) == (old.digest, bad.digest)
    assert info["error"]["final"]
    assert "golden.json" in info["error"]["why"]
    assert ready.status == 200
    assert info["error"]["why"] in ready.json["detail"]
    assert service.ask("POST", PREDICT, ROW).json["model"] == old.digest

    move_pointer(store, problem_name, old.digest)
    wait_until(lambda: service.ask("GET", INFO).json["error"] is None, "the error is gone")


def test_a_pinned_model_is_served_whatever_the_pointer_says(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    pinned, other = make("pinned"), make("other", bias=0.5)
    move_pointer(store, problem_name, other.digest)
    service = start({"MODEL_SOURCE": "pinned", "MODEL_DIGEST": pinned.digest})
    service.wait_until_ready()

    assert service.ask("POST", PREDICT, ROW).json["model"] == pinned.digest


def test_sigterm_drains_and_ships_what_was_answered(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    made = make("a")
    move_pointer(store, problem_name, made.digest)
    service = start({"DRAIN_SECONDS": "1"})
    service.wait_until_ready()
    label = {"request_id": "018bcfe5-6800-7000-8000-000000000000", "label": True}

    with Load(service) as load:
        wait_until(lambda: len(load.answers) > 100, "100 rows are answered")
        assert service.ask("POST", FEEDBACK, label).status == 200
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.ask("GET", READY).status == 503, "the service drains")
        for thread in load.threads:
            thread.join(LIMIT_SECONDS)
    assert service.process.wait(LIMIT_SECONDS) == 0

    assert (load.failures, load.closed) == ([], 4)
    table = logged(store, problem_name)
    assert sorted(table["request_id"].to_pylist()) == sorted(load.answers)
    assert logged(store, problem_name, "feedback").drop_columns("received_at").to_pylist() == [
        {"request_id": label["request_id"], "row": 0, "label": "true"}
    ]
    assert list(service.folder.glob("spool/*/*")) == []


def test_kill_9_loses_only_rows_that_were_not_written(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    made = make("a")
    move_pointer(store, problem_name, made.digest)
    first = start()
    first.wait_until_ready()
    with Load(first) as load:
        wait_until(lambda: len(load.answers) > 300, "300 rows are answered")
    written = r"perennial_log_rows_written_total (\d+)"
    answered = len(load.answers)
    wait_until(
        lambda: (
            re.search(written, first.ask("GET", METRICS).body.decode()).group(1) == str(answered)
        ),
        "every row is written",
    )
    late = [first.ask("POST", PREDICT, ROW).json["request_id"] for _ in range(2)]
    first.process.kill()
    first.process.wait()

    second = start()
    second.wait_until_ready()
    assert second.stop() == 0

    found = set(logged(store, problem_name)["request_id"].to_pylist())
    assert set(load.answers) <= found
    assert found - set(load.answers) <= set(late)


def test_the_log_has_one_schema_whatever_was_sent(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    move_pointer(store, problem_name, make("a").digest)
    service = start()
    service.wait_until_ready()
    one = service.ask("POST", PREDICT, ROW).json
    batch = service.ask("POST", PREDICT_BATCH, {"rows": [{"age": 1}, {"age": 2, "city": 7}]})
    assert service.stop() == 0

    table = logged(store, problem_name)
    assert {column.name: str(column.type) for column in table.schema} == {
        "request_id": "string",
        "row": "int32",
        "served_at": "timestamp[us, tz=UTC]",
        "event_time": "timestamp[us, tz=UTC]",
        "digest": "string",
        "score": "double",
        "label": "string",
        "key.customer": "string",
        "in.age": "double",
        "in.income": "double",
        "in.member": "string",
        "in.city": "string",
        "in.joined": "string",
    }
    rows = {(row["request_id"], row["row"]): row for row in table.to_pylist()}
    first = rows[one["request_id"], 0]
    assert (first["score"], first["label"], first["key.customer"]) == (
        one["score"],
        one["label"],
        ROW["customer"],
    )
    assert first["event_time"].isoformat() == "2024-05-06T07:08:09+00:00"
    assert (first["in.age"], first["in.member"]) == (41.0, "true")
    second = rows[batch.json["request_id"], 1]
    assert (second["in.age"], second["in.city"], second["event_time"]) == (2.0, "7", None)


def test_an_idle_service_is_small_and_loads_no_table_library(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    move_pointer(store, problem_name, make("a").digest)
    service = start()
    service.wait_until_ready()
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    maps = Path(f"/proc/{service.process.pid}/maps").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))

    assert resident < 190_000
    assert [name for name in ("/pandas/", "/sklearn/", "/scipy/", "libarrow") if name in maps] == []


def test_a_shipped_segment_brings_no_pandas(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    move_pointer(store, problem_name, make("a").digest)
    service = start()
    service.wait_until_ready()
    service.ask("POST", PREDICT, ROW)
    wait_until(lambda: list(store.keys(f"{problem_name}/predictions/")), "a segment is shipped")
    maps = Path(f"/proc/{service.process.pid}/maps").read_text()

    assert "libarrow" in maps
    assert "pandas" not in maps


def test_a_port_in_use_is_one_sentence(
    shared_service: Service, start: Callable[..., Any], keys: Any, store: Store
) -> None:
    port = shared_service.address.partition(":")[2]
    environment = os.environ | {
        "PERENNIAL_VERIFY_KEYS": str(keys.folder),
        "PERENNIAL_AUTH": "none",
        "PERENNIAL_HOME": str(shared_service.log.parent / "second"),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "serving", "shared-service", "--port", port],
        env=environment,
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    line = json.loads(io.BytesIO(ended.stdout).readlines()[-1])
    assert ended.returncode == 2
    assert line["why"].startswith(f"The address 127.0.0.1:{port} cannot be used")
    assert b"Traceback" not in ended.stdout + ended.stderr
