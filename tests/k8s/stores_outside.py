"""A PostgreSQL and an S3 store on this machine, outside of the cluster, where its pods reach them.

Both speak TLS with the pods, by a certificate of an authority of the test's own.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from authority import sign
from fixtures_postgres import Database, TlsAddress, running_postgres
from waiting import LIMIT_SECONDS, wait_until

from contract.errors import PerennialError
from contract.store.client import Store
from perennial.local import seaweedfs as seaweed
from perennial.local.credentials import BUCKET, REGION, identities
from perennial.local.home import write_private
from perennial.local.ports import LOOPBACK, STORE_PORTS, keep_ports

ACCESS_KEY, SECRET_KEY = "OUTSIDE", "a-secret-of-the-tests"
PASSWORD = "open-sesame"  # and of the users of the database
TRUSTED = "/authorities/ca.crt"
"""Where a pod finds the authority's certificate."""


@dataclass(frozen=True)
class Outside:
    """Where both are, and what opens them."""

    address: str
    authority: Path
    database_port: int
    store_port: int
    loopback: str
    """The database's connection string on this machine, without a database."""

    def database(self, name: str) -> Database:
        """Return a database by its way on this machine."""
        return Database(f"{self.loopback}/{name}")

    def connection(self, name: str, dialect: str = "postgresql") -> str:
        """Return how a pod connects with a database that a user of its name owns."""
        location = f"{name}:{PASSWORD}@{self.address}:{self.database_port}/{name}"
        return f"{dialect}://{location}?sslmode=verify-full&sslrootcert={TRUSTED}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables from which a process of this machine opens the store."""
        return store_environment(self.address, self.store_port, self.authority)


def store_environment(address: str, port: int, authority: Path) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_CA_BUNDLE": str(authority),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"https://{address}:{port}",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "NO_PROXY": address,
        "PERENNIAL_BUCKET": BUCKET,
    }


@contextmanager
def running_stores(node: str, folder: Path) -> Iterator[Outside]:
    """Start both where a node with this address sees this machine."""
    address = facing(node)
    sign(f"IP:{address}", folder)
    certificate, key = folder / "server.crt", folder / "server.key"
    with running_postgres(TlsAddress(address, certificate, key)) as loopback:
        port = urlsplit(loopback).port
        assert port is not None
        with _running_seaweed(address, folder) as store_port:
            yield Outside(address, folder / "ca.crt", port, store_port, loopback)


def facing(node: str) -> str:
    """Return the address of this machine from which a node is reached; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.connect((node, 9))
        address: str = found.getsockname()[0]
        return address


@contextmanager
def _running_seaweed(address: str, folder: Path) -> Iterator[int]:
    """Start the store of one machine on another address, its S3 by TLS, and yield the port."""
    data = folder / "store"
    data.mkdir()
    ports = keep_ports(folder / "ports.json", (*STORE_PORTS, "https"))
    write_private(folder / "s3.json", identities(ACCESS_KEY, SECRET_KEY))
    seaweed.configure(data)
    command = [
        word.replace(LOOPBACK, address)
        for word in seaweed.command(data, folder / "s3.json", ports, BUCKET)
    ]
    command += [f"-s3.port.https={ports['https']}"]
    command += [f"-s3.cert.file={folder / 'server.crt'}", f"-s3.key.file={folder / 'server.key'}"]
    environment = os.environ | seaweed.server_environment("256MiB", PASSWORD)
    with (folder / "store.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        found = store_environment(address, ports["https"], folder / "ca.crt")
        wait_until(
            lambda: _answers(found), f"the store of {folder} answers; see its log", poll_seconds=0.5
        )
        yield ports["https"]
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


def _answers(found: dict[str, str]) -> bool:
    try:
        list(Store.from_environment(found).keys("none/"))
    except PerennialError:
        return False
    return True
