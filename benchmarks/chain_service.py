"""The model service of a chain, as a real process: started, asked for predictions, stopped."""

import contextlib
import csv
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract.prediction_log import SERVED_AT
from contract.service_protocol import PREDICT
from contract.serving_state import ServiceAddress
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import PredictionsKey, parse_keys, service_key

ROOT = Path(__file__).parent.parent
API_KEY = "a-key-of-this-chain"
LIMIT_SECONDS = 120
ONE_DAY = timedelta(days=1)


class ChainService:
    """The service of one problem."""

    def __init__(
        self, store: Store, problem: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._store, self._problem = store, problem
        self._folder, self._environment = folder, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the model service and wait until it says where it listens."""
        command = [sys.executable, "-m", "serving", self._problem, "--port", "0"]
        with (self._folder / "service.log").open("ab") as file:
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=ROOT, stdout=file, stderr=file
            )
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.address is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "service.log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """End the service; what it has logged is then in the store."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(LIMIT_SECONDS)

    def age_log(self) -> None:
        """Put what was answered a day back: a day is monitored once it has ended."""
        keys = parse_keys(self._store.keys(PredictionsKey.prefix(self._problem)), PredictionsKey)
        for key in list(keys):
            table = pq.read_table(BytesIO(self._store.get(str(key))))
            index = table.schema.get_field_index(SERVED_AT)
            field = table.schema.field(index)
            earlier = pc.subtract(table[SERVED_AT], pa.scalar(ONE_DAY, pa.duration("us")))
            aged = table.set_column(index, field, earlier.cast(field.type))
            body = BytesIO()
            pq.write_table(aged, body)
            aged_key = PredictionsKey(key.problem, key.day - ONE_DAY, key.hour, key.segment)
            self._store.put(str(aged_key), body.getvalue())
            self._store.delete(str(key))

    @property
    def address(self) -> str | None:
        """Where the service listens; None while it has not said so."""
        address = read_document(self._store, service_key(self._problem), ServiceAddress)
        return None if address is None else address.url

    def predict_all(self, table: Path) -> None:
        """Request a prediction for every row of a table, so that there is something to watch."""
        host = (self.address or "").removeprefix("http://")
        headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
        with table.open(newline="") as file:
            rows = [
                {name: float(row[name]) for name in row if name != "grower"}
                for row in csv.DictReader(file)
            ]
        with contextlib.closing(http.client.HTTPConnection(host, timeout=30)) as connection:
            for row in rows:
                connection.request(
                    "POST", PREDICT, json.dumps(row | {"bottle": int(row["bottle"])}), headers
                )
                reply = connection.getresponse()
                body = reply.read()
                if reply.status != http.HTTPStatus.OK:
                    raise RuntimeError(f"The service answered {reply.status}: {body!r}")
