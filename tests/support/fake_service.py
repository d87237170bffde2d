"""A Service of a cluster that leads to the pod of a test's choice."""

import socket
import socketserver
import threading

from contract.kubernetes import HTTP_PORT


class FakeService(socketserver.ThreadingTCPServer):
    """Its rules lead every new connection to the pod at `leads_to`."""

    daemon_threads = True

    def __init__(self, leads_to: str) -> None:
        super().__init__(("127.0.0.1", 0), Forwarder)
        self.leads_to = leads_to
        self._later: str | None = None

    def lead_later(self, leads_to: str) -> None:
        """Lead to another pod, but not with the next connection, as rules that lag do."""
        self._later = leads_to

    def lead(self) -> str:
        """Return where a new connection leads."""
        now = self.leads_to
        if self._later is not None:
            self.leads_to, self._later = self._later, None
        return now

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Forwarder(socketserver.BaseRequestHandler):
    server: FakeService

    def handle(self) -> None:
        with socket.create_connection((self.server.lead(), HTTP_PORT)) as pod:
            for end in (pod, self.request):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=copy, args=(pod, self.request))
            back.start()
            copy(self.request, pod)
            back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    while content := source.recv(65_536):
        target.sendall(content)
    target.shutdown(socket.SHUT_WR)
