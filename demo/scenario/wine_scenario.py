"""The steps on a cluster: the smallest problem once through the lifecycle, every step verified.

A simulated season needs an outside world that lands files and knows labels, and a cluster has its
own. So a table of wines lands on the volume, a model is trained, evaluated and deployed, predictions
are requested, and monitoring checks the day. It can run again: a second model meets the first.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract.formatting import format_digest
from contract.store.champion_pointer import read_champion
from contract.store.ledger import Ledger, LedgerEntry
from demo.scenario.checks import Verification
from demo.scenario.world import run_world
from perennial.clients.service import Service
from perennial.commands.shared import follow_run
from perennial.console import Console
from perennial.local.home import Home
from perennial.platform import Platform
from perennial.runs import FinishedRun

NAME = TABLE = "wine"
TARGET = "grower"
BOTTLES = 20  # arbitrary: one batch of requests
FILE = "wine/wine.csv"

WriteFiles = Callable[[dict[str, bytes]], None]
"""Writes files where the stages read them, by their path below the landing folder."""


class WineScenario:
    """One run of the scenario on a cluster's platform that is up."""

    name = NAME

    def __init__(
        self, console: Console, platform: Platform, home: Home, write_files: WriteFiles
    ) -> None:
        self.verification = Verification()
        self._console = console
        self._platform = platform
        self._home = home
        self._write_files = write_files
        self._airflow = platform.airflow()

    def run(self) -> None:
        """Run every step."""
        self._step("A table of analysed wines has landed")
        table = _table_of_wines(self._home)
        self._write_files({FILE: table.encode()})
        rows = [_request_row(row) for row in csv.DictReader(table.splitlines())]
        self._console.print(f"{len(rows)} bottles, and who grew them.")

        self._step("A model is trained, evaluated and deployed")
        followed = self._run_dag("lifecycle")
        if not self._verify_evaluation(followed):
            return

        self._step("Predictions are requested for bottles without a label")
        self._request_predictions(rows[:BOTTLES])

        self._step("The day is monitored")
        followed = self._run_dag("monitoring")
        monitored = followed.step("monitoring")
        self.verification.verify(
            "monitoring checks the served model",
            holds=followed.state == "success" and monitored is not None,
            found=monitored.outcome if monitored else _why(followed),
        )

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return Ledger(self._platform.store(), NAME).entries()

    def links(self) -> dict[str, str]:
        """Return where a person looks."""
        return self._platform.links()

    def last_line(self) -> str:
        """Return nothing: no decision of the wines has a declared value."""
        return ""

    def _run_dag(self, part: str) -> FinishedRun:
        dag = f"{NAME}__{part}"
        return follow_run(self._console, self._airflow, dag, self._airflow.trigger(dag, {}))

    def _verify_evaluation(self, followed: FinishedRun) -> bool:
        self.verification.verify(
            "the lifecycle ends well in Airflow",
            holds=followed.state == "success",
            found=f"run {followed.run}: {followed.state}{_why(followed)}",
        )
        verdict, trained = followed.step("evaluation"), followed.step("training")
        champion = read_champion(self._platform.store(), NAME)
        if verdict is None or trained is None or champion is None:
            self.verification.verify("the model is evaluated", holds=False, found=_why(followed))
            return False
        promoted = verdict.outcome == "accepted"
        self.verification.verify(
            "the champion is the model that the gate accepted",
            holds=(champion.digest == trained.facts.get("digest")) == promoted,
            found=f"{verdict.outcome}; champion {format_digest(champion.digest)}",
        )
        service = self._service()
        served = service.digest() if service else None
        return self.verification.verify(
            "the service answers with the champion",
            holds=served == champion.digest,
            found=f"the service serves {format_digest(served, 'nothing')}",
        )

    def _request_predictions(self, rows: list[dict[str, Any]]) -> None:
        service = self._service()
        champion = read_champion(self._platform.store(), NAME)
        answer = service.predict(rows) if service else {}
        digest = answer.get("model")
        self.verification.verify(
            f"{len(rows)} bottles are answered by the champion",
            holds=champion is not None and digest == champion.digest,
            found=f"answered by {format_digest(digest, 'nobody')}",
        )

    def _service(self) -> Service | None:
        return self._platform.service(NAME)

    def _step(self, title: str) -> None:
        self._console.print(f"\n— {title}")


def _table_of_wines(home: Home) -> str:
    folder = home.folder / "landing"
    folder.mkdir(parents=True, exist_ok=True)
    result = run_world(home, [TABLE, "--to", str(folder)])
    return Path(result["path"]).read_text(encoding="utf-8")


def _request_row(row: dict[str, str]) -> dict[str, Any]:
    """Return a bottle as a client sends it: the measurements as numbers, without the target."""
    return {name: float(value) for name, value in row.items() if name != TARGET}


def _why(followed: FinishedRun) -> str:
    return "".join(f"; {step.why}" for step in followed.failed)
