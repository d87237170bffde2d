"""A door between a stage and its store, on loopback, that notices what goes through.

A stage can so be killed at an exact moment: when its n-th object stands in the store, and before it
hears of it. The bytes pass unchanged; the signature holds, since it is made for the door's address.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

CHUNK_BYTES = 1 << 16
LOOPBACK = "127.0.0.1"
# A client that asks first whether it may send is told so before the answer that counts.
GO_ON = b"HTTP/1.1 100"


class Gate:
    """One door to one store. `url` is what a process takes for the store's own address."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (str(target.hostname), int(target.port or 80))
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self.begin(lambda: None, lambda: True, lambda _: None)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def begin(
        self,
        on_first: Callable[[], None],
        may_put: Callable[[], bool],
        on_put: Callable[[int], None],
    ) -> None:
        """Forget what went through, and set what is told of the next process.

        `on_first` hears of its first request, `may_put` says whether an object may pass, and
        `on_put` hears how many objects stand, before the process does.
        """
        self._on_first, self._may_put, self._on_put = on_first, may_put, on_put
        self.first_request: float | None = None
        self.first_put: float | None = None
        self.puts: list[str] = []
        """Paths of the objects that were put, oldest first."""

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(self._target) as server,
        ):
            paths: list[str] = []
            answers = threading.Thread(
                target=self._pass_answers, args=(server, client, paths), daemon=True
            )
            answers.start()
            with contextlib.suppress(OSError):
                self._pass_requests(client, server, paths)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _pass_requests(
        self, client: socket.socket, server: socket.socket, paths: list[str]
    ) -> None:
        while chunk := client.recv(CHUNK_BYTES):
            if self.first_request is None:
                self.first_request = time.monotonic()
                self._on_first()
            if chunk.startswith(b"PUT /"):
                if not self._may_put():
                    return
                paths[:] = [unquote(chunk.split(b" ", 2)[1].decode())]
            server.sendall(chunk)

    def _pass_answers(self, server: socket.socket, client: socket.socket, paths: list[str]) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                if paths and chunk.startswith(b"HTTP/1.1 ") and not chunk.startswith(GO_ON):
                    path = paths.pop()
                    if chunk.startswith(b"HTTP/1.1 2"):
                        self._note(path)
                client.sendall(chunk)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _note(self, path: str) -> None:
        self.puts.append(path)
        if self.first_put is None:
            self.first_put = time.monotonic()
        self._on_put(len(self.puts))
