"""One process: BentoML's application inside the lane, on uvicorn, with its threads around it.

`bentoml serve` would be a supervisor and a worker (150 MB more) whose death nobody sees in a
container; here the death of the process is the end of the service, and whoever started it knows.
"""

import gc
import os
import resource
import socket
import threading
from types import FrameType

import uvicorn
from bentoml._internal.context import server_context

from contract.errors import AskedWrongly
from contract.log import log
from contract.store.client import Store
from serving.application import build
from serving.connection import limited
from serving.documentation import Documentation
from serving.following import Following
from serving.lane import Lane
from serving.settings import Settings
from serving.shipping import Shipper
from serving.spool import Spool
from serving.standing import Standing

KEEP_ALIVE_SECONDS = 75  # longer than the 60 s of most proxies, so that they close first
FINISH_SECONDS = 20  # for requests in flight, after the drain
SHIP_SECONDS = 15.0  # for the log, after the last request
BACKLOG = 2048

_log = log("serving")


class Server(uvicorn.Server):
    """A server that, told to stop, first says so for a while and goes on answering.

    Readiness turns 503 and each answer says `Connection: close`, so that callers and balancers
    have moved on before the socket closes. A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, standing: Standing, drain_seconds: float) -> None:
        super().__init__(config)
        self._standing = standing
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Begin to drain, or stop where that has begun."""
        if self._standing.draining or not self._drain_seconds:
            self._standing.draining = True
            self._end()
            return
        self._standing.draining = True
        timer = threading.Timer(self._drain_seconds, self._end)
        timer.daemon = True
        timer.start()

    def _end(self) -> None:
        # Not uvicorn's own way, which raises the signal again before the log is shipped.
        self.should_exit = True


def serve(settings: Settings, store: Store) -> int:
    """Serve until a signal; return the exit code.

    Raises:
        AskedWrongly: the port is taken.
    """
    listening = _listen(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    standing = Standing(settings.problem)
    predictions, labels = Spool(settings.predictions), Spool(settings.feedback)
    shipper = Shipper(store, settings.problem, (settings.predictions, settings.feedback))

    def metrics() -> str:
        standing.counters.coerced = standing.coerced()
        more = {
            "ready": ("1 where requests may come.", float(standing.unready() is None)),
            "log_rows_written_total": (
                "Rows in the local log.",
                predictions.written + labels.written,
            ),
            "log_rows_dropped_total": (
                "Rows lost: full log.",
                predictions.dropped + labels.dropped,
            ),
            "log_segments_shipped_total": ("Segments in the store.", shipper.shipped),
            "log_segments_waiting": ("Segments not in the store yet.", shipper.waiting()),
            "log_ship_failures_total": ("Segments that failed once.", shipper.failures),
            "resident_bytes": ("Largest resident memory.", _resident_bytes()),
        }
        return standing.counters.render(more, standing.served.digest if standing.served else None)

    _name_server(settings.problem)
    service = build(settings, standing, predictions, labels, metrics)
    lane = Lane(
        service.to_asgi(is_main=True),
        settings=settings,
        standing=standing,
        predictions=predictions,
        labels=labels,
        documentation=Documentation(service.openapi_spec.asdict, standing),
    )
    config = uvicorn.Config(
        lane,
        loop="uvloop",
        http=limited(settings.connection_requests, settings.connection_seconds),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        backlog=BACKLOG,
    )
    following = Following(settings, store, standing, f"http://{host}:{port}")
    for part in (predictions, labels, shipper, following):
        part.start()
    gc.collect()
    gc.freeze()  # 213,000 objects of the imports: out of every later collection
    _log.info("listening", problem=settings.problem, url=f"http://{host}:{port}", pid=os.getpid())
    try:
        Server(config, standing, settings.drain_seconds).run(sockets=[listening])
    finally:
        following.close()
        predictions.close()
        labels.close()
        remaining = shipper.close(SHIP_SECONDS)
        _log.info("stopped", problem=settings.problem, segments_left=remaining)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(BACKLOG)  # from here on callers wait, rather than being refused
    except OSError as error:
        found.close()
        sentence = (
            f"The address {host}:{port} cannot be had ({error.strerror}); "
            "stop who listens there, or give another --port."
        )
        raise AskedWrongly(sentence) from error
    found.set_inheritable(True)
    return found


def _name_server(problem: str) -> None:
    """Tell BentoML's metrics their labels, as `bentoml serve` does."""
    server_context.worker_index = 1
    server_context.service_type = "entry_service"
    server_context.service_name = problem
    server_context.bento_name = problem
    server_context.bento_version = "none"
    server_context.service_routes = ["/info"]


def _resident_bytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
