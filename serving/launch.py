"""One process: BentoML's application inside the fast path, on uvicorn, with its threads.

`bentoml serve` would be a supervisor and a worker (150 MB more), and in a container nobody notices
when the worker dies; here the end of the process is the end of the service.
"""

import gc
import os
import resource
import socket
import threading
from types import FrameType

import uvicorn
from bentoml._internal.context import server_context

from contract.errors import InvalidRequest
from contract.log import log
from contract.service_protocol import INFO
from contract.store.client import Store
from serving.application import build
from serving.connection import limited
from serving.documentation import Documentation
from serving.exposition import render
from serving.fast_path import FastPath
from serving.pointer_watcher import PointerWatcher
from serving.service_state import ServiceState
from serving.settings import Settings
from serving.shipping import Shipper
from serving.spool import Spool

KEEP_ALIVE_SECONDS = 75  # longer than the 60 s of most proxies, so that they close first
FINISH_SECONDS = 20  # for requests in flight, after the drain
SHIP_SECONDS = 15.0  # for the log, after the last request
BACKLOG = 2048

_log = log("serving")


class DrainingServer(uvicorn.Server):
    """A server that, asked to stop, goes on answering for a while and says that it will stop.

    Readiness turns 503 and each answer says `Connection: close`, so that callers and balancers
    have moved on before the socket closes. A second signal ends it at once.
    """

    def __init__(self, config: uvicorn.Config, state: ServiceState, drain_seconds: float) -> None:
        super().__init__(config)
        self._state = state
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Begin to drain, or stop where that has begun."""
        if self._state.draining or not self._drain_seconds:
            self._state.draining = True
            self._end()
            return
        self._state.draining = True
        timer = threading.Timer(self._drain_seconds, self._end)
        timer.daemon = True
        timer.start()

    def _end(self) -> None:
        # Not uvicorn's own way, which raises the signal again before the log is shipped.
        self.should_exit = True


def serve(settings: Settings, store: Store) -> int:
    """Serve until a signal; return the exit code.

    Raises:
        InvalidRequest: the port is taken.
    """
    listening = _listen(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    state = ServiceState(settings.problem)
    predictions, labels = Spool(settings.predictions), Spool(settings.feedback)
    shipper = Shipper(store, settings.problem, (settings.predictions, settings.feedback))

    def metrics() -> str:
        state.counters.coerced = state.coerced()
        further = {
            "ready": ("1 where requests may come.", float(state.not_ready_reason() is None)),
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
        return render(state.counters, further, state.served.digest if state.served else None)

    _name_server(settings.problem)
    service = build(settings, state, predictions, labels, metrics)
    application = FastPath(
        service.to_asgi(is_main=True),
        settings=settings,
        state=state,
        predictions=predictions,
        labels=labels,
        documentation=Documentation(service.openapi_spec.asdict, state),
    )
    config = uvicorn.Config(
        application,
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
    watcher = PointerWatcher(settings, store, state, f"http://{host}:{port}")
    for part in (predictions, labels, shipper, watcher):
        part.start()
    gc.collect()
    gc.freeze()  # 213,000 objects of the imports: out of every later collection
    _log.info("listening", problem=settings.problem, url=f"http://{host}:{port}", pid=os.getpid())
    try:
        DrainingServer(config, state, settings.drain_seconds).run(sockets=[listening])
    finally:
        watcher.close()
        predictions.close()
        labels.close()
        remaining = shipper.close(SHIP_SECONDS)
        _log.info("stopped", problem=settings.problem, segments_left=remaining)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)  # from here on callers wait instead of being refused
    except OSError as error:
        listening.close()
        sentence = (
            f"The address {host}:{port} cannot be used ({error.strerror}); "
            "stop the process that listens there, or give another --port."
        )
        raise InvalidRequest(sentence) from error
    listening.set_inheritable(True)
    return listening


def _name_server(problem: str) -> None:
    """Set the labels of BentoML's metrics, as `bentoml serve` does."""
    server_context.worker_index = 1
    server_context.service_type = "entry_service"
    server_context.service_name = problem
    server_context.bento_name = problem
    server_context.bento_version = "none"
    server_context.service_routes = [INFO]


def _resident_bytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
