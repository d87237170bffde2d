"""A platform of a benchmark's own, driven by the command, and what its processes use."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from perennial.platform.processes import marked, memory_bytes

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Machine:
    """The folders of one platform."""

    home: Path
    landing: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead the command to it."""
        return os.environ | {"PERENNIAL_HOME": str(self.home), "LANDING": str(self.landing)}

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - parsed JSON
        """Run `perennial WORDS --json` and return its document.

        Raises:
            RuntimeError: it ended with another exit code than 0.
        """
        done = subprocess.run(
            [sys.executable, "-m", "perennial", *words, "--json"],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time by program: of those that run, and what they forked and collected."""
        found: dict[str, float] = {}
        for process in marked(self.home):
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
        for process in marked(self.home):
            with contextlib.suppress(psutil.Error):
                name = _name(process.cmdline())
                full = process.memory_full_info()
                found[name] = found.get(name, 0.0) + getattr(full, "pss", full.rss) / 2**20
        return dict(sorted(found.items())) | {"all": memory_bytes(self.home) / 2**20}


def forks_of(name: str) -> str:
    """Return the name under which the ended children of a program are counted.

    A warm interpreter that has ended, with its stages, is a child of the supervisor.
    """
    return f"forks of {name}"


def _name(command: list[str]) -> str:
    words = " ".join(command)
    names = ("api_server", "api-server", "scheduler", "dag-processor", "dag_processor", "serving")
    for name in (*names, "supervisor", "weed"):
        if name in words:
            return name.replace("_", "-")
    if "tasks.warm" in words:
        return "warm interpreter"
    if "LocalExecutor" in words:
        return "executor's workers"
    return words[:40] or "unknown"
