"""The steps on a machine: land, train, serve, monitor, break the feed, repair it, drift, retrain.

Only the calendar is scripted: verdicts, scores and decisions are read back from where the product
keeps them. Each step claims what a reader may expect; where the data decide otherwise the claim does
not hold, and the command ends with an exit code that is not 0.

The calendar was chosen by what 2013 was like. In May a model that has seen one more week decides no
better: a new search may find a better plan, and the same plan again is refused. From the middle of June storms make far more departures
late, and a model that has seen them is worth more: docs/decisions/0052 has the figures.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contract.decision import Decision
from contract.formatting import format_digest
from contract.store.champion_pointer import read_champion
from contract.store.ledger import LedgerEntry
from demo.scenario.findings import NAME, PlatformFindings
from demo.scenario.world import OutsideWorld
from perennial.commands.shared import follow_run
from perennial.console import Console
from perennial.runs import FinishedRun

FIRST_MODEL = date(2013, 5, 15)
QUIET = (date(2013, 5, 15), date(2013, 5, 21))
BROKEN = (date(2013, 5, 22), date(2013, 5, 28))
FAULTY = BROKEN
SEASON_ENDS = date(2013, 7, 30)
WEEKS_AFTER = 2  # so that a whole verdict window after a promotion has labels
WEEK = timedelta(days=7)
FILES_LAND = timedelta(hours=9)  # of the next day; they land at eight


class FlightsScenario:
    """One run of the scenario on a machine's platform that is up."""

    name = NAME

    def __init__(self, console: Console, findings: PlatformFindings, world: OutsideWorld) -> None:
        self._console = console
        self._findings = findings
        self.verification = findings.verification
        self._airflow = findings.airflow
        self._world = world
        self._served = 0
        self._followed: set[str] = set()
        """Lifecycle runs that monitoring started and that came to their end."""

    def run(self) -> None:
        """Run every step."""
        self._step("Four months of departures have landed")
        landed = self._world.land(_morning_after(FIRST_MODEL - timedelta(days=1)))
        self._console.print(f"{landed}; nothing from after {FIRST_MODEL} is visible.")

        self._step("The first model is trained, evaluated and deployed")
        first = self._lifecycle(_morning_after(FIRST_MODEL - timedelta(days=1)))
        if not self._findings.verify_deployment(first):
            return

        self._step("A quiet week: requests are answered, labels arrive a day later")
        decision = self._week(*QUIET)
        self._findings.claim("a quiet week asks for nothing", decision, {"ok", "watch", "warn"})
        self._findings.verify_labels(decision, self._served)

        self._step("Nothing has changed, and a person asks for a new model all the same")
        asked = self._ask(replay=False)
        is_better = self._findings.is_promoted(asked)
        if is_better:  # the search was luckier; the same plan on the same rows cannot be
            self._step("It was better; the person asks once more, for the same plan")
            asked = self._ask(replay=True)
        self._findings.verify_refusal(asked)

        self._step("A broken feed: distances come in kilometres")
        self._world.fault = ("unit", *FAULTY)
        decision = self._week(*BROKEN)
        self._findings.claim("broken data block retraining", decision, {"blocked_data_quality"})
        self._findings.verify_nothing_started()
        self._world.fault = None

        self._step("The feed is repaired, and the season changes")
        promoted = self._season()
        self.verification.verify(
            "a challenger that is better is promoted",
            holds=is_better or promoted is not None,
            found=f"promoted after {promoted or QUIET[1]}"
            if is_better or promoted
            else "none by the season's end",
        )
        if promoted is not None:
            self._step("The new model serves, and what the promotion did is measured")
            for week in range(WEEKS_AFTER):
                begin = promoted + week * WEEK + timedelta(days=1)
                self._week(begin, begin + WEEK - timedelta(days=1))
                self._follow_started()
        if is_better or promoted is not None:
            self._findings.verify_effect()

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return self._findings.entries()

    def links(self) -> dict[str, str]:
        """Return where a person looks."""
        return self._findings.links()

    def last_line(self) -> str:
        """Return what the loop earned."""
        return self._findings.earnings()

    def _season(self) -> date | None:
        """Let weeks pass until a challenger is promoted; return the last day that was served.

        None: the season ended before any was. Monitoring asks, and the gate may refuse, as often as
        their own limits let them.
        """
        day = BROKEN[1] + timedelta(days=1)
        promoted: date | None = None
        while day <= SEASON_ENDS and promoted is None:
            last = min(day + WEEK - timedelta(days=1), SEASON_ENDS)
            self._week(day, last)
            if self._follow_started():
                promoted = last
            day += WEEK
        self.verification.verify(
            "the season's change starts the lifecycle by itself",
            holds=bool(self._followed),
            found=f"{len(self._followed)} runs were started",
        )
        return promoted

    def _follow_started(self) -> bool:
        """Follow every lifecycle that monitoring has started; return whether a model was promoted."""
        promoted = False
        for run in self._findings.started():
            if run in self._followed:
                continue
            self._followed.add(run)
            followed = follow_run(self._console, self._airflow, f"{NAME}__lifecycle", run)
            self.verification.verify(
                "a lifecycle that monitoring started ends well",
                holds=followed.state == "success",
                found=f"run {run} ended with {followed.state}",
            )
            self._console.print(self._findings.verify_evaluation(followed))
            promoted = promoted or self._findings.is_promoted(followed)
        return promoted

    def _ask(self, *, replay: bool) -> FinishedRun:
        """Ask for a model of the quiet weeks, and show what the gate says of it."""
        asked = self._lifecycle(_morning_after(QUIET[1]), replay=replay)
        self._console.print(self._findings.verify_evaluation(asked))
        return asked

    def _lifecycle(self, window_end: datetime, *, replay: bool = False) -> FinishedRun:
        """Start the lifecycle as the form of Airflow's page does, and show it."""
        conf: dict[str, object] = {"window_end": window_end.isoformat(), "replay": replay}
        run = self._airflow.trigger(f"{NAME}__lifecycle", conf)
        return follow_run(self._console, self._airflow, f"{NAME}__lifecycle", run)

    def _week(self, first: date, last: date) -> Decision | None:
        """Serve the days, land their files, and let monitoring check them in one run."""
        for day in _days(first, last):
            self._serve(day)
        until = _morning_after(last)
        self._world.land(until)
        run = self._airflow.trigger(f"{NAME}__monitoring", {"window_end": until.isoformat()})
        followed = follow_run(self._console, self._airflow, f"{NAME}__monitoring", run)
        monitored = followed.step("monitoring")
        # The run's outcome is that of the most serious day, which need not be the last one.
        day = date.fromisoformat(str(monitored.facts["day"])) if monitored else last
        decision = self._findings.decision(day)
        if monitored is None or decision is None:
            why = "; ".join(step.why for step in followed.failed) or "no decision was written"
            self.verification.verify(f"{last} was monitored", holds=False, found=why)
            return None
        self._console.print(
            f"{decision.day}: {decision.verdict}. {decision.sentence} {decision.next}"
        )
        return decision

    def _serve(self, day: date) -> None:
        rows = self._world.requests(day)
        answer = self._findings.service().predict(rows)
        self._served += len(rows)
        champion = read_champion(self._findings.store, NAME)
        digest = answer.get("model")
        if champion is None or digest != champion.digest:
            self.verification.verify(
                f"{day} is answered by the champion",
                holds=False,
                found=f"by {format_digest(digest)}",
            )

    def _step(self, title: str) -> None:
        self._console.print(f"\n— {title}")


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def _morning_after(day: date) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + timedelta(days=1) + FILES_LAND
