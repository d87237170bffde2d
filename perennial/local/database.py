"""A small PostgreSQL of the platform's own, kept where the demo made one: loopback, by password.

The supervisor keeps it as it keeps the store, from its folder's first day on. PostgreSQL refuses to
run as root: it runs as another user then, who may pass through the platform's folder to its own
and can list or read nothing else of it.
"""

import grp
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from contract.errors import AskedWrongly
from perennial.local.home import FOLDER_MODE, Home, write_private
from perennial.local.ports import LOOPBACK, keep_ports, read_ports

NAME = "database"
VARIABLE = "WEATHER_DSN"
"""The environment's name that holds the connection string."""

STOP_SECONDS = 15
_OWNER = "perennial"
_USERS = ("postgres", "nobody")  # who it may run as where we are root
_INSTALLED = Path("/usr/lib/postgresql")  # Debian keeps no server's program on PATH
_MADE_WITHIN_SECONDS = 120
_PROBE_SECONDS = 1
_READY_LINE = 7  # of postmaster.pid, from 0: what `pg_ctl --wait` reads as well
# Some rows an hour for one reader: no more memory and no more processes than that takes.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "20",
    "shared_buffers": "4MB",
    "huge_pages": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
}


def exists(home: Home) -> bool:
    """Tell whether the platform has a database."""
    return _version(home) is not None


def prepare(home: Home) -> str:
    """Make the database unless it is there; return PostgreSQL's version.

    Raises:
        AskedWrongly: PostgreSQL is not at hand here; the sentence says what is missing.
    """
    made = _version(home)
    programs = _programs(made)
    user = _as_user()
    keep_ports(home.ports, [NAME])
    if not _password_file(home).exists():
        if made is not None:
            raise AskedWrongly(
                f"the password of the database in {str(home.database)!r} is gone; remove that folder"
            )
        write_private(_password_file(home), secrets.token_urlsafe(24) + "\n")
    _make_folder(home, user)
    if made is None:
        _initialise(home, programs, user)
    return str(_version(home))


def command(home: Home) -> list[str]:
    """Return the command line of the server.

    Raises:
        AskedWrongly: its programs are not here any more.
    """
    programs = _programs(_version(home))
    words = [*_as_user(), str(programs / "postgres"), "-D", str(_data(home))]
    settings = {**_SETTINGS, "port": str(read_ports(home.ports)[NAME])}
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    return words


def variables(home: Home) -> dict[str, str]:
    """Return the connection string under its name; nothing where there is no database."""
    port, file = read_ports(home.ports).get(NAME), _password_file(home)
    if not exists(home) or port is None or not file.exists():
        return {}
    password = file.read_text(encoding="utf-8").strip()
    return {VARIABLE: f"postgresql://{_OWNER}:{password}@{LOOPBACK}:{port}/postgres"}


def is_ready(home: Home) -> bool:
    """Tell whether the server takes connections, in its own words and on its port."""
    try:
        lines = (_data(home) / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        address = (LOOPBACK, read_ports(home.ports)[NAME])
        if len(lines) <= _READY_LINE or lines[_READY_LINE].strip() != "ready":
            return False
        with socket.create_connection(address, timeout=_PROBE_SECONDS):
            return True
    except (OSError, KeyError):
        return False


def _data(home: Home) -> Path:
    return home.database / "data"


def _password_file(home: Home) -> Path:
    return home.credentials / "database.password"


def _version(home: Home) -> str | None:
    """Return the version whose files the database has; None where there is none."""
    try:
        return (_data(home) / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _programs(version: str | None) -> Path:
    """Return the folder of PostgreSQL's programs: the one on PATH, else the newest installed."""
    on_path = shutil.which("initdb")
    installed = sorted(_INSTALLED.glob("*/bin"), key=_number, reverse=True)
    folders = [Path(on_path).resolve().parent] if on_path else []
    for folder in [*folders, *installed]:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")) and (
            version is None or _reports(folder / "postgres") == version
        ):
            return folder
    if version is None:
        sentence = (
            f"neither PATH nor {str(_INSTALLED)!r} has PostgreSQL's programs initdb and postgres"
        )
    else:
        sentence = f"the database was made by PostgreSQL {version}, which is not installed here now"
    raise AskedWrongly(sentence)


def _number(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.parent.name))


def _reports(postgres: Path) -> str | None:
    """Return the major version that a server's program prints: `postgres (PostgreSQL) 15.14`."""
    said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)", said.stdout)
    return found[1] if found else None


def _as_user() -> list[str]:
    """Return the words before a program of PostgreSQL: none, but where we are root."""
    if os.geteuid() != 0:
        return []
    name = next((name for name in _USERS if _is_user(name)), None)
    if name is None or shutil.which("setpriv") is None:
        raise AskedWrongly(
            "PostgreSQL refuses to run as root, and there is no user "
            f"{' or '.join(map(repr, _USERS))} to run it as with setpriv"
        )
    return ["setpriv", f"--reuid={name}", f"--regid={_group(name)}", "--clear-groups"]


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _group(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _make_folder(home: Home, user: list[str]) -> None:
    """Make the database's folder, and see that the server's user reaches it."""
    home.database.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not user:
        return
    name = user[1].partition("=")[2]
    shutil.chown(home.database, name)
    shutil.chown(home.folder, group=_group(name))
    home.prepare()  # lets that group pass, now that the folder is there
    reached = subprocess.run([*user, "test", "-x", str(home.database)], cwd="/", check=False)
    if reached.returncode != 0:
        home.database.rmdir()
        home.prepare()
        raise AskedWrongly(
            f"PostgreSQL refuses to run as root, and the user {name!r} may not enter "
            f"{str(home.folder)!r}"
        )


def _initialise(home: Home, programs: Path, user: list[str]) -> None:
    """Make the files of the database: all of them or none."""
    partial, password = home.database / "partial", home.database / "password"
    shutil.rmtree(partial, ignore_errors=True)
    write_private(password, _password_file(home).read_text(encoding="utf-8"))
    if user:
        shutil.chown(password, user[1].partition("=")[2])
    words = [*user, str(programs / "initdb"), "-D", str(partial), "-U", _OWNER]
    words += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
    try:
        done = subprocess.run(
            words,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=_MADE_WITHIN_SECONDS,
            check=False,
        )
    finally:
        password.unlink()
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise AskedWrongly(f"PostgreSQL's initdb ended with {done.returncode}: {said}")
    partial.rename(_data(home))
