"""A real PostgreSQL for tests: one server a worker of pytest-xdist, a database for each test.

The installed one is used; where there is none, Debian's package is unpacked without root.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from adbc_driver_postgresql import dbapi

LOOPBACK, NOBODY = "127.0.0.1", "nobody"
START_SECONDS = 60


@dataclass(frozen=True)
class Database:
    """One database; `dsn` is what a problem's environment would hold."""

    dsn: str

    def execute(self, *statements: str) -> None:
        with dbapi.connect(self.dsn, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """Make a table of a data frame."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with dbapi.connect(self.dsn, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(name, table, mode="create")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with dbapi.connect(self.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


@dataclass(frozen=True)
class TlsAddress:
    """An address beside loopback where a server listens too: TLS and a password are asked for."""

    address: str
    certificate: Path
    key: Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a server on loopback and yield its connection string without a database."""
    with running_postgres() as found:
        yield found


@contextmanager
def running_postgres(tls: TlsAddress | None = None) -> Iterator[str]:
    """Start a server and yield its connection string on loopback, without a database."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
    data, port = folder / "data", _free_port()
    _run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"])
    addresses = [LOOPBACK, tls.address] if tls else [LOOPBACK]
    options = f"-p {port} -k {folder} -c listen_addresses={','.join(addresses)} -c fsync=off"
    options += _open(tls, data) if tls else ""
    log = folder / "log"
    start = [binaries / "pg_ctl", "-D", data, "-l", log, "-t", START_SECONDS, "-o", options]
    _run([*start, "-w", "start"])
    try:
        yield f"postgresql://postgres@{LOOPBACK}:{port}"
    finally:
        _run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _open(tls: TlsAddress, data: Path) -> str:
    """Let others in by TLS and a password, and return the server's options for it."""
    for name, file in (("server.crt", tls.certificate), ("server.key", tls.key)):
        shutil.copy(file, data / name)
        (data / name).chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(data / name, NOBODY)
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("hostssl all all all scram-sha-256\n")
    return " -c ssl=on"


@pytest.fixture
def database(postgres: str) -> Database:
    """Yield an empty database of the test's own."""
    name = f"d{uuid.uuid4().hex[:12]}"
    Database(f"{postgres}/postgres").execute(f"CREATE DATABASE {name}")
    return Database(f"{postgres}/{name}")


def _run(command: list[object]) -> None:
    """Run a server's tool, as nobody where we are root: PostgreSQL refuses to run as root."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["setpriv", f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", *words]
    done = subprocess.run(
        words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", text=True
    )
    assert done.returncode == 0, done.stderr


def _binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else _unpacked()


def _unpacked() -> Path:
    """Download and unpack Debian's package and libpq into a cache; nothing is installed."""
    cache = Path(tempfile.gettempdir()) / f"postgres-unpacked-{os.geteuid()}"
    ready = sorted(cache.glob("root/usr/lib/postgresql/*/bin/initdb"))
    if ready:
        return ready[-1].parent
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("PostgreSQL is not installed, and there is no apt-get to unpack it with")
    cache.mkdir(mode=0o755, exist_ok=True)
    names = subprocess.run(
        ["apt-cache", "depends", "postgresql"], check=True, capture_output=True, text=True
    ).stdout.split()
    server = next(name for name in names if name.startswith("postgresql-"))
    subprocess.run(["apt-get", "download", server, "libpq5", "libllvm14"], check=False, cwd=cache)
    for package in cache.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, cache / "root"], check=True)
    ready = sorted(cache.glob("root/usr/lib/postgresql/*/bin/initdb"))
    if not ready:
        pytest.skip("PostgreSQL is not installed, and Debian's package could not be unpacked")
    return ready[-1].parent


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])
