"""Ask a model service for a while from inside a cluster, and tell what came back, as one JSON line.

`python load.py URL --requests 20000 --seconds 300`, with the key in API_KEY. Standard library alone:
it runs in any image with a Python. Half of the callers keep their connections for as long as the
service lets them, the others take a new one for each request. It ends at the first of both bounds.

`seconds` counts each model's answers by the second of the clock.
`fingerprint` is the sum of the answers' request ids: equal to that of the prediction log's rows if
and only if, for all that matters, the log holds the same answers.
"""

import argparse
import http.client
import json
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from urllib.parse import urlsplit
from uuid import UUID

CALLERS = 8
SHOWN = 10  # failures that are told in words


class Load:
    """What all callers share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.lock = threading.Lock()
        self.left = options.requests
        self.until = time.monotonic() + options.seconds
        self.models: dict[str, Counter[int]] = defaultdict(Counter)
        self.failures: list[str] = []
        self.connections = 0
        self.seconds: list[float] = []
        self.fingerprint = 0

    def next(self) -> bool:
        """Tell whether one more request is to be sent, and take it."""
        with self.lock:
            if self.left <= 0 or time.monotonic() > self.until:
                return False
            self.left -= 1
            return True

    def call(self, number: int) -> None:
        """Send requests until it is over."""
        address = urlsplit(self.options.url).netloc
        keeps = number % 2 == 0
        draw = random.Random(number)  # noqa: S311 - rows that vary, the same in each run
        pause = CALLERS / self.options.rate
        due = time.monotonic() + pause * number / CALLERS
        connection: http.client.HTTPConnection | None = None
        while self.next():
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - 1)
            if connection is None or connection.sock is None or not keeps:
                if connection is not None:
                    connection.close()
                connection = http.client.HTTPConnection(address, timeout=20)
                with self.lock:
                    self.connections += 1
            if not self.ask(connection, draw):
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def ask(self, connection: http.client.HTTPConnection, draw: random.Random) -> bool:
        """Send one request and count what comes back; tell whether the connection is any good."""
        row = json.loads(self.options.row)
        row |= {
            name: draw.uniform(0.5, 2.0) * value for name, value in row.items() if _varies(value)
        }
        headers = {"authorization": f"Bearer {os.environ.get('API_KEY', '')}"}
        if self.options.host:
            headers["host"] = self.options.host
        began = time.perf_counter()
        try:
            connection.request("POST", "/v1/predict", json.dumps(row), headers)
            answer = connection.getresponse()
            body = answer.read()
            result = json.loads(body)
            if answer.status != http.client.OK:
                return self.fail(f"{answer.status}: {body[:200]!r}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return self.fail(repr(error))
        with self.lock:
            self.models[result["model"]][int(time.time())] += 1
            self.fingerprint = (self.fingerprint + UUID(result["request_id"]).int) % (1 << 128)
            self.seconds.append(time.perf_counter() - began)
        return True

    def fail(self, why: str) -> bool:
        """Count a failure."""
        with self.lock:
            self.failures.append(f"{time.time():.1f} {why}")
        return False

    def result(self) -> dict[str, object]:
        """Return what came back."""
        times = sorted(self.seconds) or [0.0]
        return {
            "sent": self.options.requests - self.left,
            "answered": len(self.seconds),
            "failed": len(self.failures),
            "failures": self.failures[:SHOWN],
            "models": {model: sum(counts.values()) for model, counts in self.models.items()},
            "seconds": self.models,
            "connections": self.connections,
            "fingerprint": f"{self.fingerprint:032x}",
            "p50_ms": round(1000 * times[len(times) // 2], 2),
            "p99_ms": round(1000 * times[int(0.99 * (len(times) - 1))], 2),
        }


def _varies(value: object) -> bool:
    return isinstance(value, float)


def main() -> int:
    """Ask until it is over, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--row", required=True, help="one row as JSON; numbers with a point vary")
    parser.add_argument("--host", help="the name that a Gateway knows the service by")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second, all callers'")
    load = Load(parser.parse_args())
    callers = [threading.Thread(target=load.call, args=(number,)) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    sys.stdout.write(json.dumps(load.result()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
