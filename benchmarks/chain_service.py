"""The model service of a chain, as a real process: started, asked for predictions, stopped."""

import contextlib
import csv
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from contract.service_protocol import PREDICT
from contract.serving_state import ServiceAddress
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import service_key

ROOT = Path(__file__).parent.parent
API_KEY = "a-key-of-this-chain"
LIMIT_SECONDS = 120


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
