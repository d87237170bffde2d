"""Runs in Airflow's interpreter: an e-mail by Airflow's notifier, to a server of this process's own.

Prints what the channel answered and what the server got as JSON behind the marker line.
"""

import json
import os
import socketserver
import sys
import threading

from contract.problem import EmailChannel
from dags.channels import NotDeliveredError, send

got: list[str] = []


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client needs."""

    def handle(self) -> None:
        """Take one message."""
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.partition(" ")[0].upper()
            if word == "DATA":
                self.say("354 go on")
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    got.append(text)
            got.append(line)
            self.say("221 bye" if word == "QUIT" else "250 fine")
            if word == "QUIT":
                return

    def say(self, text: str) -> None:
        """Send one line."""
        self.wfile.write(f"{text}\r\n".encode())


server = socketserver.TCPServer(("127.0.0.1", 0), Mailbox)
threading.Thread(target=server.serve_forever, daemon=True).start()
extra = {"disable_ssl": True, "disable_tls": True, "from_email": "perennial@example.com"}
connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1]}
os.environ["AIRFLOW_CONN_SMTP_DEFAULT"] = json.dumps(connection | {"extra": extra})
channel = EmailChannel(kind="email", to=("ops@example.com", "ada@example.com"))
report = {"answer": send(channel, "flights: 'fare' is <empty>.\nOwner: ada", {}, "1")}
server.shutdown()
server.server_close()
report["got"] = list(got)
try:
    send(channel, "flights: again", {}, "2")
except NotDeliveredError as error:
    report["away"] = str(error)
sys.stdout.write("\nREPORT " + json.dumps(report) + "\n")
