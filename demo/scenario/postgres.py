"""A small PostgreSQL beside the platform, for the weather: loopback only, with a password.

The platform runs it as an extra component. PostgreSQL refuses to run as root: where the platform is
root's, it runs as another user, who may pass through the platform's folder to its own and can list
or read nothing else of it.
"""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from contract.errors import InvalidRequest
from perennial.local.extra_components import ExtraComponent, ReadinessProbe, write_component
from perennial.local.home import FOLDER_MODE, Home, write_private
from perennial.local.ports import LOOPBACK, keep_ports
from perennial.local.run_as import as_user, choose_user, let_user_pass

NAME = "database"
VARIABLE = "WEATHER_DSN"
"""The environment's name that holds the connection string."""

STOP_SECONDS = 15
_OWNER = "perennial"
_USERS = ("postgres", "nobody")  # who it may run as where we are root
_INSTALLED = Path("/usr/lib/postgresql")  # Debian keeps no server's program on PATH
_INITDB_SECONDS = 120
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
    """Tell whether the database was made."""
    return _version(home) is not None


def prepare(home: Home) -> str:
    """Make the database unless it is there, and give it to the platform; return its version.

    Raises:
        InvalidRequest: PostgreSQL is not installed here; the sentence says what is missing.
    """
    version = _version(home)
    programs = _find_programs(version)
    user = _choose_user()
    port = keep_ports(home.ports, [NAME])[NAME]
    if not _password_file(home).exists():
        if version is not None:
            raise InvalidRequest(
                f"the password of the database in {str(_folder(home))!r} is gone; remove that folder"
            )
        write_private(_password_file(home), secrets.token_urlsafe(24) + "\n")
    _make_folder(home, user)
    if version is None:
        _initialise(home, programs, user)
    write_component(home, _component(home, programs, user, port))
    return str(_version(home))


def _component(home: Home, programs: Path, user: str | None, port: int) -> ExtraComponent:
    settings = {**_SETTINGS, "port": str(port)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    password = _password_file(home).read_text(encoding="utf-8").strip()
    return ExtraComponent(
        name=NAME,
        command=(str(programs / "postgres"), "-D", str(_data(home)), *options),
        folder=Path("/"),  # its user may not read ours
        user=user,
        variables={VARIABLE: f"postgresql://{_OWNER}:{password}@{LOOPBACK}:{port}/postgres"},
        # `pg_ctl --wait` reads the same line.
        readiness=ReadinessProbe(port=port, file=_data(home) / "postmaster.pid", line="ready"),
        stop_seconds=STOP_SECONDS,
    )


def _folder(home: Home) -> Path:
    return home.folder / "database"


def _data(home: Home) -> Path:
    return _folder(home) / "data"


def _password_file(home: Home) -> Path:
    return home.credentials / "database.password"


def _version(home: Home) -> str | None:
    """Return the major version that made the database's files; None where there are none."""
    try:
        return (_data(home) / "PG_VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _find_programs(version: str | None) -> Path:
    """Return the folder of PostgreSQL's programs: the one on PATH, else the newest installed.

    Raises:
        InvalidRequest: there is none, or none of `version`.
    """
    on_path = shutil.which("initdb")
    installed = sorted(_INSTALLED.glob("*/bin"), key=_version_of_folder, reverse=True)
    folders = [Path(on_path).resolve().parent] if on_path else []
    for folder in [*folders, *installed]:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")) and (
            version is None or _version_of_program(folder / "postgres") == version
        ):
            return folder
    if version is None:
        sentence = (
            f"neither PATH nor {str(_INSTALLED)!r} has PostgreSQL's programs initdb and postgres"
        )
    else:
        sentence = f"the database was made by PostgreSQL {version}, which is not installed here now"
    raise InvalidRequest(sentence)


def _version_of_folder(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.parent.name))


def _version_of_program(postgres: Path) -> str | None:
    """Return the major version that a server's program prints: `postgres (PostgreSQL) 15.14`."""
    done = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\) (\d+)", done.stdout)
    return match[1] if match else None


def _choose_user() -> str | None:
    try:
        return choose_user(_USERS)
    except InvalidRequest as error:
        raise InvalidRequest(f"PostgreSQL refuses to run as root, and {error}") from error


def _make_folder(home: Home, user: str | None) -> None:
    """Make the database's folder, and see that the server's user reaches it."""
    try:
        let_user_pass(home, user)
    except InvalidRequest as error:
        raise InvalidRequest(f"PostgreSQL refuses to run as root, and {error}") from error
    _folder(home).mkdir(mode=FOLDER_MODE, exist_ok=True)
    if user is not None:
        shutil.chown(_folder(home), user)


def _initialise(home: Home, programs: Path, user: str | None) -> None:
    """Make the files of the database: all of them or none."""
    partial, password = _folder(home) / "partial", _folder(home) / "password"
    shutil.rmtree(partial, ignore_errors=True)
    write_private(password, _password_file(home).read_text(encoding="utf-8"))
    if user is not None:
        shutil.chown(password, user)
    command = [*as_user(user), str(programs / "initdb"), "-D", str(partial), "-U", _OWNER]
    command += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
    try:
        done = subprocess.run(
            command,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=_INITDB_SECONDS,
            check=False,
        )
    finally:
        password.unlink()
    if done.returncode != 0:
        message = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise InvalidRequest(f"PostgreSQL's initdb ended with {done.returncode}: {message}")
    partial.rename(_data(home))
