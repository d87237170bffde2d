"""Make the state of a version: what a platform holds after some weeks with two problems.

    PYTHONPATH=.:tests/end_to_end .venv/bin/python tests/states/make_state.py OUT.tar.xz

The code of the working folder writes the state; where a version had other module names, name those.
The archive holds `store/KEY` for each object, `verify/` with the public key of the bundles, and
`airflow.db`, Airflow's database (SQLite). It takes five minutes. An archive is never changed: a
version that writes something new gets one of its own.
"""

import io
import json
import lzma
import posixpath
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import pump

from benchmarks.machine import ROOT, Machine
from perennial.local.home import find_home
from perennial.local.machine_platform import open_platform

START = date(2026, 3, 1)
TURNS = START + timedelta(days=24)
ENDINGS = ("", "-b", "-c", "-d")
BROKEN = 2
"""The day whose heat comes in another unit."""


def main() -> None:
    """Start a platform, let weeks pass, and keep what it stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems = folder / "problems"
        shutil.copytree(ROOT / "problems" / "wine", problems / "wine")
        (problems / "pump").mkdir(parents=True)
        (problems / "pump" / "problem.yaml").write_text(pump.PROBLEM)
        machine = Machine(folder / "home", folder / "landing", problems, 900)
        try:
            machine.ask("up")
            live(machine, folder)
            objects = machine_objects(machine)
        finally:
            machine.ask("down")
        for key in (folder / "home" / "credentials" / "verify").iterdir():
            objects[f"../verify/{key.name}"] = key.read_bytes()
        keep(Path(sys.argv[1]), objects, folder / "home" / "airflow" / "airflow.db")


def live(machine: Machine, folder: Path) -> None:
    """Two models of one problem and one of another, answers, labels, verdicts, a way back."""
    subprocess.run(
        [sys.executable, "-m", "demo", "wine", "--to", str(machine.landing)], check=True, cwd=ROOT
    )
    machine.ask("run", "wine", "--set", "models.budget=4s")
    for number in range(24):
        pump.land(machine.landing, START + timedelta(days=number), turned=False)
    machine.ask("run", "pump", "--window-end", f"{TURNS}T09:00:00Z")
    for number in range(6):
        day = TURNS + timedelta(days=number)
        rows = pump.requests(day, turned=number > 2)
        # Three unlabelled rows beside each labelled one: a verdict needs more rows than a day lands.
        rows = [row | {"reading": f"{row['reading']}{end}"} for row in rows for end in ENDINGS]
        if number == BROKEN:
            rows = [row | {"heat": row["heat"] * 1.8 + 32} for row in rows]
        (folder / "rows.json").write_text(json.dumps(rows))
        machine.ask("predict", "pump", "--file", str(folder / "rows.json"))
        pump.land(machine.landing, day, turned=number > 2)
        end = f"{day + timedelta(days=1)}T09:00:00Z"
        machine.ask("monitor", "pump", "--window-end", end)
        wait(machine)
    again = machine.ask("run", "wine", "--reason", "age", "--set", "models.budget=5s")
    if again["verdict"] == "accepted":
        machine.ask("rollback", "wine", "--reason", "tried by hand")
    time.sleep(3)  # what the service answered is shipped


def wait(machine: Machine) -> None:
    """Wait for a lifecycle that monitoring started."""
    for _ in range(300):
        if machine.ask("status", "pump")["lifecycle"]["state"] in {"success", "failed"}:
            return
        time.sleep(1)


def machine_objects(machine: Machine) -> dict[str, bytes]:
    """Return every object of the store."""
    store = open_platform(find_home(machine.environment)).store()
    return {key: store.get(key) for key in store.keys("")}


def keep(path: Path, objects: dict[str, bytes], database: Path) -> None:
    """Write the archive: the same members in the same order."""
    copy = path.with_suffix(".db")
    copy.unlink(missing_ok=True)
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("VACUUM")
    members = {posixpath.normpath(f"store/{key}"): objects[key] for key in sorted(objects)}
    members["airflow.db"] = copy.read_bytes()
    copy.unlink()
    with lzma.open(path, "wb", preset=9) as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name, body in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))


if __name__ == "__main__":
    main()
