"""The world outside, asked by process: it reads data, which the command does not."""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contract.errors import TryAgain
from perennial.local.home import Home


class Outside:
    """The airport whose systems land data and whose desk sends requests.

    `table` holds the connection string of the weather's table; empty, the weather lands as files.
    """

    def __init__(self, home: Home, landing: Path, table: Mapping[str, str]) -> None:
        self._home = home
        self._landing = landing
        self._table = table
        self.fault: tuple[str, date, date] | None = None
        """What is wrong with the feed, and on which days, first and last."""

    def land(self, until: datetime) -> str:
        """Let arrive what has landed by `until`; return in words how much of it is new."""
        words = ["flights", "--until", until.isoformat(), "--to", str(self._landing)]
        if self.fault:
            kind, first, last = self.fault
            words += ["--fault", kind, "--faulty-from", str(first), "--faulty-to", str(last)]
        words += [word for name in self._table for word in ("--weather-in", name)]
        made = self._ask(words)
        files = f"{made['files']:,} files"
        return f"{files} and {made['rows']:,} rows of the weather's table" if self._table else files

    def requests(self, day: date) -> list[dict[str, Any]]:
        """Return the rows that the desk asks about on `day`."""
        path = self._home.folder / "requests.json"
        words = ["requests", "--day", str(day), "--to", str(path)]
        if self.fault and self.fault[1] <= day <= self.fault[2]:
            words += ["--fault", self.fault[0]]
        self._ask(words)
        found: list[dict[str, Any]] = json.loads(path.read_bytes())
        path.unlink()
        return found

    def _ask(self, words: list[str]) -> Any:  # noqa: ANN401 - parsed JSON
        cache = str(self._home.folder / "cache")
        done = subprocess.run(
            [str(self._home.python), "-m", "demo", *words, "--cache", cache],
            cwd=self._home.project,
            env=os.environ | self._table,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TryAgain(f"The world outside failed: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)
