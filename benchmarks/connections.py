"""What it costs a request that its connection ends after 1,000 of them.

The smallest application answers on uvicorn's own connection and on the service's, in turn; counted
is the CPU time of the server's process, so that neighbours on the machine do not matter.
"""

import http.client
import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks.report import table, write_section

ROUNDS = 7
CALLERS = 4
REQUESTS = 5_000  # of each caller in a round
SERVER = """\
import socket, sys
import uvicorn
from serving.connection import limited

async def answer(scope, receive, send):
    await receive()
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})

kind = limited(1_000, 30.0) if sys.argv[1] == "ending" else "httptools"
config = uvicorn.Config(answer, loop="uvloop", http=kind, ws="none", lifespan="off", log_config=None)
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[listening])
"""


def main() -> None:
    """Measure and write the section."""
    servers = {kind: Server(kind) for kind in ("kept", "ending")}
    try:
        costs = {kind: [server.measure()] for kind, server in servers.items()}  # to warm up
        for _ in range(ROUNDS):
            for kind, server in servers.items():
                costs[kind].append(server.measure())
    finally:
        for server in servers.values():
            server.stop()
    rows = [
        [kind, statistics.median(found[1:]), min(found[1:]), max(found[1:])]
        for kind, found in costs.items()
    ]
    ratios = [two / one for one, two in zip(costs["kept"][1:], costs["ending"][1:], strict=True)]
    text = table(["connections", "median us of CPU a request", "least", "most"], rows)
    text += f"\n\nRound by round the ending ones cost {statistics.median(ratios):.3f} x the kept"
    text += f" ones, from {min(ratios):.3f} to {max(ratios):.3f}."
    write_section("A connection that ends", "python -m benchmarks.connections", text)


class Server:
    """One server in a process of its own."""

    def __init__(self, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, kind], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def measure(self) -> float:
        """Send a round of requests and return the microseconds of CPU that each took."""
        before = self._cpu_seconds()
        callers = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        return 1e6 * (self._cpu_seconds() - before) / (CALLERS * REQUESTS)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _call(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        for _ in range(REQUESTS):
            connection.request("GET", "/")
            connection.getresponse().read()  # a closed connection is made anew by the next request
        connection.close()

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
