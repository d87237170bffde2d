"""The outside world, as processes of its own: it reads data, which the command does not."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contract.errors import InvalidRequest, TryAgain
from perennial.local.home import Home


def run_world(
    home: Home,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401 - parsed JSON
    """Run `python -m demo` with `arguments` and return its JSON document.

    Raises:
        InvalidRequest: it cannot do that here, such as where a package of data is not installed.
        TryAgain: it failed otherwise.
    """
    done = subprocess.run(
        [str(home.python), "-m", "demo", *arguments],
        cwd=home.project,
        env=os.environ | dict(variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == InvalidRequest.exit_code:
        raise InvalidRequest(done.stderr.strip().removeprefix("demo: "))
    if done.returncode != 0:
        raise TryAgain(f"The outside world failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


class OutsideWorld:
    """The airport whose systems land data and whose desk sends requests.

    `table` holds the connection string of the weather's table under its name; empty, the weather
    lands as files.
    """

    def __init__(self, home: Home, landing: Path, table: Mapping[str, str]) -> None:
        self._home = home
        self._landing = landing
        self._table = table
        self.fault: tuple[str, date, date] | None = None
        """What is wrong with the feed, and on which days, first and last."""

    def land(self, until: datetime) -> str:
        """Write all data that land by `until`; return in words how much of it is new."""
        arguments = ["flights", "--until", until.isoformat(), "--to", str(self._landing)]
        if self.fault:
            kind, first, last = self.fault
            arguments += ["--fault", kind, "--faulty-from", str(first), "--faulty-to", str(last)]
        arguments += [word for name in self._table for word in ("--weather-in", name)]
        result = self._run(arguments)
        files = f"{result['files']:,} files"
        rows = f"{result['rows']:,} rows of the weather's table"
        return f"{files} and {rows}" if self._table else files

    def requests(self, day: date) -> list[dict[str, Any]]:
        """Return the rows for which the desk requests predictions on `day`."""
        path = self._home.folder / "requests.json"
        arguments = ["requests", "--day", str(day), "--to", str(path)]
        if self.fault and self.fault[1] <= day <= self.fault[2]:
            arguments += ["--fault", self.fault[0]]
        self._run(arguments)
        rows: list[dict[str, Any]] = json.loads(path.read_bytes())
        path.unlink()
        return rows

    def _run(self, arguments: list[str]) -> Any:  # noqa: ANN401 - parsed JSON
        cache = str(self._home.folder / "cache")
        return run_world(self._home, [*arguments, "--cache", cache], self._table)
