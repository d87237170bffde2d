"""Days of one problem, one after the other: answer, land, monitor, and retrain where it is asked.

`window_end` is the only clock. A day's rows are answered by the model of that moment; on the next
morning what is known by then has landed, monitoring decides about the day, and a `retrain` verdict
runs the lifecycle at once, as of the same moment. The champion that it may make answers from then
on. All state is in the folder, so a rehearsal that was ended goes on where it stopped.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.decision import Decision
from contract.errors import PerennialError, Refused
from contract.log import log
from contract.problem import Problem, read_problem
from contract.store.alert_state import change_alerts, read_alerts
from contract.store.champion_pointer import read_champion
from contract.store.documents import read_document
from contract.store.layout import DecisionKey
from contract.store.ledger import Ledger
from contract.times import microseconds
from methods.controller.days import ONE_DAY, Calendar
from methods.controller.policy import Policy
from rehearsal.deployed import deploy_ungated
from rehearsal.folder_store import FolderStore
from rehearsal.kept_state import keep_or_discard
from rehearsal.landing_folder import PAST, LandingFolder
from rehearsal.rehearsed_day import LifecycleRun, RehearsedDay
from rehearsal.served_days import ServedDays
from rehearsal.stage_runs import BEFORE_MONITORING, BEFORE_VERDICT, StageRun, StageRuns, write_keys
from rehearsal.world import World

BUCKET = "rehearsal"
DAYS = "days.jsonl"
FIRST = "first"
"""The run of the first model."""
HERE = "rehearsal"
"""The channel that takes every message, and tells nobody."""


@dataclass(frozen=True)
class RehearsalPlan:
    """What is rehearsed."""

    problem: Mapping[str, Any]
    """The problem file; its sources read the files of the rehearsal's own folder."""
    begin: date
    """Day 0, on which the first model begins to serve."""
    days: int
    """Days that a model serves."""
    history: int
    """Days before it, that the first model learns from."""
    policy: Policy = field(default_factory=Policy)
    """What monitoring decides by."""
    every: int | None = None
    """Days between retrainings by the calendar, each deployed without a gate and without any
    monitoring; None: the product decides."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Dotted keys of the problem file for retrainings alone."""


class FirstModelRefused(Refused):
    """There is no first model, so there is nothing to rehearse."""


class Simulation:
    """One rehearsal in one folder."""

    def __init__(self, folder: Path, plan: RehearsalPlan, world: World) -> None:
        keep_or_discard(folder)
        self._folder, self._plan, self._world = folder, plan, world
        self._landing = LandingFolder(folder / "landing")
        self.problem: Problem = read_problem(self._write_problem())
        name = self.problem.name
        self.store = FolderStore(BUCKET, folder / "store")
        self._calendar = Calendar(self.problem.timezone)
        hour, minute = map(int, self.problem.monitoring.at.split(":"))
        self._at = timedelta(hours=hour, minutes=minute)
        environment = write_keys(folder / "keys") | {
            "PERENNIAL_PROBLEMS": str(folder / "problems"),
            "PERENNIAL_BUCKET": BUCKET,
        }
        self.stages = StageRuns(self.store, name, environment, plan.policy)
        self._served = ServedDays(self.store, self.problem, folder / "feedback")

    @property
    def records(self) -> list[RehearsedDay]:
        """The days that were rehearsed, in their order."""
        path = self._folder / DAYS
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [RehearsedDay.model_validate_json(line) for line in lines]

    def run(self) -> Iterator[RehearsedDay]:
        """Rehearse the days that are left, and yield each.

        Raises:
            FirstModelRefused: no model serves on day 0.
            PerennialError: monitoring or its sources cannot go on.
        """
        done = len(self.records)
        self._begin()
        for number in range(self._plan.days):
            began = time.process_time()
            today = self._world.day(number)
            for source, landing in today.landings.items():
                self._landing.expect(source, landing)
            morning = self._calendar.begin(self._date(number + 1)) + self._at
            if number >= done:
                record = RehearsedDay(number=number, day=self._date(number), rows=0, digest=None)
                record = self._served.answer(record, today)
            self._landing.land(microseconds(morning), f"{number:05d}")
            if number < done:
                continue
            self._served.send_feedback(number, morning)
            if self._plan.every is None:
                record = self._decide(record, morning)
            elif (number + 1) % self._plan.every == 0:
                made = self.retrain(f"day-{number:05d}", morning, "nightly", is_gated=False)
                record = record.model_copy(update={"run": made})
            used = round(time.process_time() - began, 3)
            record = record.model_copy(update={"cpu_seconds": used})
            with (self._folder / DAYS).open("a", encoding="utf-8") as file:
                file.write(record.model_dump_json() + "\n")
            yield record

    @property
    def first_refusal(self) -> str | None:
        """Why the gate refused the first model, which serves all the same; None: it did not."""
        entries = Ledger(self.store, self.problem.name).entries()
        return next((each.reason for each in entries if each.id == f"{FIRST}/refused"), None)

    def _begin(self) -> None:
        """Land the history and have the first model serve, whatever its verdict."""
        for source, table in self._world.once().items():
            self._landing.land_once(source, table)
        for number in range(-self._plan.history, 0):
            for source, landing in self._world.day(number).landings.items():
                self._landing.expect(source, landing)
        start = self._calendar.begin(self._date(0))
        self._landing.land(microseconds(start), PAST)
        if read_champion(self.store, self.problem.name) is None:
            first = self._lifecycle(FIRST, start, {"reason": "manual"})
            if first.outcome == "deployed":
                return
            if first.digest is None:
                raise FirstModelRefused(f"There is no first model: {first.sentence}")
            # What is rehearsed is what comes after it; the ledger keeps the refusal.
            log("rehearsal").error("the first model was refused and serves", why=first.sentence)
            deploy_ungated(self.store, self.problem.name, FIRST, first.digest, start)

    def _decide(self, record: RehearsedDay, morning: datetime) -> RehearsedDay:
        """Run monitoring on the next morning, and the lifecycle where it asks for one."""
        run = self.stages.begin(
            f"monitoring-{record.day}", self._params(f"monitoring-{record.day}", morning)
        )
        for stage in BEFORE_MONITORING:
            run.run(stage)
        facts = run.run("monitoring").facts
        record = record.model_copy(update={"told": self._tell(run)})
        key = DecisionKey(self.problem.name, record.day)
        decision = read_document(self.store, str(key), Decision)
        if decision is None:
            return record.model_copy(update={"sentence": f"No record: {facts.get('sentence')}"})
        asked = None
        if facts.get("day") == str(record.day) and decision.retrain:
            asked = self.retrain(
                str(decision.key),
                morning,
                str(decision.reason),
                onset=facts.get("onset"),
                replay=bool(facts.get("replay", True)),
            )
        return record.model_copy(
            update={
                "verdict": decision.verdict,
                "reason": decision.reason,
                "suppressed_by": decision.suppressed_by,
                "sentence": decision.sentence,
                "faults": tuple(
                    f"{each.check} {each.column or ''}".strip() for each in decision.dq
                ),
                "drifted": tuple(column.name for column in decision.drifted_columns),
                "change": decision.performance.change if decision.performance else None,
                "run": asked,
            }
        )

    def _tell(self, run: StageRun) -> tuple[str, ...]:
        """Bring the alerts up to date, and deliver their messages to nobody."""
        run.run("alerts")
        waiting = read_alerts(self.store, self.problem.name).outbox
        told = {message.id: {HERE} for message in waiting}
        change_alerts(
            self.store, self.problem.name, lambda state: state.mark_delivered(told, {HERE})
        )
        return tuple(f"{message.event} {message.finding.id}" for message in waiting)

    def retrain(
        self,
        name: str,
        end: datetime,
        reason: str,
        *,
        onset: str | None = None,
        replay: bool = True,
        is_gated: bool = True,
    ) -> LifecycleRun:
        """Run the lifecycle as of `end`.

        Args:
            name: of the run.
            end: its `window_end`.
            reason: as monitoring names it.
            onset: first day of the change, as monitoring names it.
            replay: fit the champion's plan; False: search.
            is_gated: False: the model serves whatever it is worth, as a bare schedule would have it.
        """
        further: dict[str, Any] = {"reason": reason, "replay": replay, "onset": onset}
        further["overrides"] = dict(self._plan.overrides)
        return self._lifecycle(name, end, further, is_gated=is_gated)

    def _lifecycle(
        self, name: str, end: datetime, further: Mapping[str, Any], *, is_gated: bool = True
    ) -> LifecycleRun:
        """Run the lifecycle up to its verdict, and the deployment of what it accepts."""
        run = self.stages.begin(name, self._params(name, end) | dict(further))
        try:
            for stage in BEFORE_VERDICT[:-1]:
                run.run(stage)
            if is_gated:
                result = run.run("evaluation")
                if result.outcome == "accepted":
                    result = run.run("deployment")
                outcome, sentence = result.outcome, str(result.facts.get("reason") or "")
            else:
                deploy_ungated(self.store, self.problem.name, name, run.digest, end)
                outcome, sentence = "deployed", "By the calendar, without a gate."
        except PerennialError as error:
            outcome = "refused" if isinstance(error, Refused) else "failed"
            sentence = str(error)
        return LifecycleRun(
            run=name,
            reason=str(further["reason"]),
            outcome=outcome,
            sentence=sentence,
            digest=run.digest or None,
        )

    def _params(self, run: str, end: datetime) -> dict[str, Any]:
        return {
            "name": self.problem.name,
            "run_id": run,
            "window_start": None,
            "window_end": end.isoformat(),
            "reason": "manual",
            "force": False,
        }

    def _write_problem(self) -> Path:
        file = self._folder / "problems" / str(self._plan.problem["name"]) / "problem.yaml"
        sources = {
            name: {**source, "kind": "files", "path": self._landing.pattern(name)}
            for name, source in self._plan.problem["source"].items()
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        file.write_text(json.dumps({**self._plan.problem, "source": sources}), encoding="utf-8")
        return file

    def _date(self, number: int) -> date:
        return self._plan.begin + number * ONE_DAY
