import socket
import threading

from answering import Request, answering

from perennial.local.http_probe import probe
from perennial.local.ports import LOOPBACK


def test_a_probe_returns_status_and_body() -> None:
    def answer(request: Request) -> tuple[int, object]:
        return (200, {"path": request.path}) if request.path == "/healthz" else (503, {})

    with answering(answer) as port:
        assert probe(port, "/healthz") == (200, b'{"path": "/healthz"}')
        missing = probe(port, "/other")

    assert missing is not None
    assert missing[0] == 503


def test_a_port_that_nobody_listens_on_is_no_response() -> None:
    with socket.socket() as closed:
        closed.bind((LOOPBACK, 0))
        port = closed.getsockname()[1]

    assert probe(port, "/healthz") is None


def test_a_server_that_never_answers_is_no_response() -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        assert probe(silent.getsockname()[1], "/healthz", seconds=0.05) is None


def test_what_is_not_http_is_no_response() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello\r\n\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        assert probe(server.getsockname()[1], "/healthz") is None
        thread.join()
