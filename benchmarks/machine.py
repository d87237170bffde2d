"""A platform of a benchmark's or a test's own, driven by the command, and what its processes use."""

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from contract.store.client import Store
from contract.store.ledger import LedgerEntry
from contract.store.source_head import read_head
from perennial.local.processes import memory_bytes, tree

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Machine:
    """The folders of one platform and the words to it."""

    home: Path
    landing: Path
    problems: Path | None = None
    """None: the project's own, as for a person who sets nothing."""
    limit_seconds: float = 1800
    """Of one command; arbitrary: the whole demo on a machine with much else to do."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead the command to it."""
        folders = {"PERENNIAL_HOME": self.home, "LANDING": self.landing}
        folders |= {"PERENNIAL_PROBLEMS": self.problems} if self.problems else {}
        return os.environ | {name: str(path) for name, path in folders.items()}

    def ask(self, *arguments: str) -> Any:  # noqa: ANN401 - parsed JSON
        """Run `perennial WORDS --json` and return its one document.

        Raises:
            RuntimeError: it ended with another exit code than 0.
            subprocess.TimeoutExpired: it did not end.
        """
        done = subprocess.run(
            [sys.executable, "-m", "perennial", *arguments, "--json"],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=self.limit_seconds,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return json.loads(done.stdout)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time by program: of those that run, and what they forked and collected."""
        found: dict[str, float] = {}
        for process in tree(self.home):
            with contextlib.suppress(psutil.Error):
                name = _name(process.cmdline())
                used = process.cpu_times()
                ended = used.children_user + used.children_system
                for part, seconds in ((name, used.user + used.system), (forks_of(name), ended)):
                    found[part] = found.get(part, 0.0) + seconds
        return found

    def memory(self) -> dict[str, float]:
        """Return MiB (PSS) of the platform's processes by program, and of all together."""
        found: dict[str, float] = {}
        for process in tree(self.home):
            with contextlib.suppress(psutil.Error):
                name = _name(process.cmdline())
                full = process.memory_full_info()
                found[name] = found.get(name, 0.0) + getattr(full, "pss", full.rss) / 2**20
        return dict(sorted(found.items())) | {"all": memory_bytes(self.home) / 2**20}


def rows_in(store: Store, problem: str, source: str) -> int:
    """Return how many rows of a source were collected."""
    head, _ = read_head(store, problem, source)
    return sum(part.table.rows for part in head.parts)


def ledger_lines(entries: Iterable[LedgerEntry], run: str) -> str:
    """Return in words how many lines a run wrote into the ledger, and how many of them twice."""
    lines = Counter(entry.id for entry in entries if entry.run == run)
    return f"{len(lines)}, {sum(lines.values()) - len(lines)} twice"


def forks_of(name: str) -> str:
    """Return the name under which the ended children of a program are counted.

    A warm interpreter that has ended, with its stages, is a child of the supervisor.
    """
    return f"forks of {name}"


def _name(command: list[str]) -> str:
    line = " ".join(command)
    names = ("api_server", "api-server", "scheduler", "dag-processor", "dag_processor", "serving")
    for name in (*names, "supervisor", "weed", "postgres"):
        if name in line:
            return name.replace("_", "-")
    if "tasks.prefork" in line:
        return "warm interpreter"
    if "LocalExecutor" in line:
        return "executor's workers"
    return line[:40] or "unknown"
