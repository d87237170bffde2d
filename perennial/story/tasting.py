"""The story on a cluster: the smallest problem, once round, and every step verified.

A simulated season needs a world outside that lands files and knows labels; a cluster has its own.
So wines that were analysed land on the volume, a model is made, judged and deployed, bottles are
asked about, and monitoring judges the day. It can be told again: a second model meets the first.
"""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract.errors import TryAgain
from contract.store.champion_pointer import read_champion
from contract.store.ledger import Ledger, LedgerEntry
from perennial.clients.service import Service
from perennial.commands.shared import follow_run
from perennial.console import Console, plain
from perennial.local.home import Home
from perennial.platform import Platform
from perennial.runs import Followed
from perennial.story.checks import Checks

NAME = TABLE = "wine"
TARGET = "grower"
BOTTLES = 20  # arbitrary: enough to be asked in one batch
FILE = "wine/wine.csv"

Land = Callable[[dict[str, bytes]], None]
"""Lets files arrive where the stages see them, by their path below the landing folder."""


class Tasting:
    """One telling of the story on a cluster's platform that is up."""

    name = NAME

    def __init__(self, speech: Console, platform: Platform, home: Home, land: Land) -> None:
        self.checks = Checks()
        self._speech = speech
        self._platform = platform
        self._home = home
        self._land = land
        self._airflow = platform.airflow()

    def tell(self) -> None:
        """Tell all of it."""
        self._chapter("A table of analysed wines has landed")
        table = _analysed(self._home)
        self._land({FILE: table.encode()})
        rows = [_row(found) for found in csv.DictReader(table.splitlines())]
        self._speech.say(f"{len(rows)} bottles, and who grew them.")

        self._chapter("A model is made, judged and deployed")
        followed = self._run("lifecycle")
        if not self._verify_judgement(followed):
            return

        self._chapter("Bottles without a label are asked about")
        self._ask_about(rows[:BOTTLES])

        self._chapter("The day is judged")
        followed = self._run("monitoring")
        judged = followed.step("monitoring")
        self.checks.verify(
            "monitoring judges the served model",
            holds=followed.state == "success" and judged is not None,
            found=judged.outcome if judged else _why(followed),
        )

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return Ledger(self._platform.store(), NAME).entries()

    def links(self) -> dict[str, str]:
        """Return where to look."""
        return self._platform.links()

    def _run(self, part: str) -> Followed:
        dag = f"{NAME}__{part}"
        return follow_run(self._speech, self._airflow, dag, self._airflow.trigger(dag, {}))

    def _verify_judgement(self, followed: Followed) -> bool:
        self.checks.verify(
            "the lifecycle ends well in Airflow",
            holds=followed.state == "success",
            found=f"run {followed.run}: {followed.state}{_why(followed)}",
        )
        verdict, trained = followed.step("evaluation"), followed.step("training")
        holder = read_champion(self._platform.store(), NAME)
        if verdict is None or trained is None or holder is None:
            self.checks.verify("the model is judged", holds=False, found=_why(followed))
            return False
        promoted = verdict.outcome == "accepted"
        self.checks.verify(
            "the champion is the model that the gate let in",
            holds=(holder.digest == trained.facts.get("digest")) == promoted,
            found=f"{verdict.outcome}; champion {plain(holder.digest)}",
        )
        service = self._service()
        answers = service.digest() if service else None
        return self.checks.verify(
            "the service answers with the champion",
            holds=answers == holder.digest,
            found=f"the service serves {plain(answers or 'nothing')}",
        )

    def _ask_about(self, rows: list[dict[str, Any]]) -> None:
        service = self._service()
        holder = read_champion(self._platform.store(), NAME)
        answer = service.predict(rows) if service else {}
        digest = answer.get("model")
        self.checks.verify(
            f"{len(rows)} bottles are answered by the champion",
            holds=holder is not None and digest == holder.digest,
            found=f"answered by {plain(digest or 'nobody')}",
        )

    def _service(self) -> Service | None:
        return self._platform.service(NAME)

    def _chapter(self, title: str) -> None:
        self._speech.say(f"\n— {title}")


def _analysed(home: Home) -> str:
    """Return the table, as the world outside makes it: by process, for it reads data."""
    folder = home.folder / "landing"
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(home.python), "-m", "demo", TABLE, "--to", str(folder)],
        cwd=home.project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TryAgain(f"The world outside failed: {done.stderr.strip()[-500:]}")
    return Path(json.loads(done.stdout)["path"]).read_text(encoding="utf-8")


def _row(found: dict[str, str]) -> dict[str, Any]:
    """Return a bottle as a client asks about it: numbers, and not its grower."""
    return {name: float(value) for name, value in found.items() if name != TARGET}


def _why(followed: Followed) -> str:
    return "".join(f"; {step.why}" for step in followed.failed)
