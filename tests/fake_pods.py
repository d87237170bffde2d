"""Pods that tell what a test wants, and a Service that leads to a pod of its choice."""

import json
import random
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POD_PORT = 8080


class Sick(ThreadingHTTPServer):
    """A pod that tells what a test wants it to tell."""

    def __init__(self, told: dict[str, Any]) -> None:
        address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.1"
        super().__init__((address, POD_PORT), Tells)
        self.told = told


class Tells(BaseHTTPRequestHandler):
    server: Sick

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = json.dumps(self.server.told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Door(socketserver.ThreadingTCPServer):
    """A Service, whose rules lead every new connection to the pod at `leads_to`."""

    daemon_threads = True

    def __init__(self, leads_to: str) -> None:
        super().__init__(("127.0.0.1", 0), Passes)
        self.leads_to = leads_to

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Passes(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        with socket.create_connection((self.server.leads_to, POD_PORT)) as pod:
            for end in (pod, self.request):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pass_on, args=(pod, self.request))
            back.start()
            pass_on(self.request, pod)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    while content := source.recv(65_536):
        target.sendall(content)
    target.shutdown(socket.SHUT_WR)
