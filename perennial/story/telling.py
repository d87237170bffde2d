"""The chapters: land, make, serve, watch, break, mend, let the season change, renew.

Nothing of it is scripted but the calendar: verdicts, scores and decisions are read back from where
the product keeps them. A chapter's claim is what a reader is told to expect; where the data decide
otherwise the story says so and ends with an exit code that is not 0.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contract.decision import Decision
from contract.store.champion_pointer import read_champion
from contract.store.ledger import LedgerEntry
from perennial.commands.shared import follow_run
from perennial.console import Console, plain
from perennial.runs import Followed
from perennial.story.findings import NAME, Findings
from perennial.story.outside import Outside

FIRST_MODEL = date(2013, 5, 15)
QUIET = (date(2013, 5, 15), date(2013, 5, 21))
BROKEN = (date(2013, 5, 22), date(2013, 5, 28))
FAULTY = BROKEN
SEASON_ENDS = date(2013, 7, 16)
WEEK = timedelta(days=7)
FILES_LAND = timedelta(hours=9)  # of the next day; they land at eight


class Telling:
    """One telling of the story on a platform that is up."""

    name = NAME

    def __init__(self, speech: Console, findings: Findings, outside: Outside) -> None:
        self._speech = speech
        self._found = findings
        self.checks = findings.checks
        self._airflow = findings.airflow
        self._outside = outside
        self._served = 0

    def tell(self) -> None:
        """Tell all of it."""
        self._chapter("Four months of departures have landed")
        landed = self._outside.land(_morning_after(FIRST_MODEL - timedelta(days=1)))
        self._speech.say(f"{landed}; nothing from after {FIRST_MODEL} is visible.")

        self._chapter("The first model is made, judged and deployed")
        first = self._lifecycle(_morning_after(FIRST_MODEL - timedelta(days=1)))
        if not self._found.verify_deployment(first):
            return

        self._chapter("A quiet week: requests are answered, labels arrive a day later")
        decision = self._week(*QUIET)
        self._found.claim("a quiet week asks for nothing", decision, {"ok", "watch", "warn"})
        self._found.verify_labels(decision, self._served)

        self._chapter("A broken feed: distances come in kilometres")
        self._outside.fault = ("unit", *FAULTY)
        decision = self._week(*BROKEN)
        self._found.claim("broken data block retraining", decision, {"blocked_data_quality"})
        self._found.verify_nothing_started()
        self._outside.fault = None

        self._chapter("The feed is mended, and the season changes")
        self._season()

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return self._found.entries()

    def links(self) -> dict[str, str]:
        """Return where to look."""
        return self._found.links()

    def _season(self) -> None:
        """Let weeks pass until monitoring asks for a new model, then watch it being judged."""
        day = BROKEN[1] + timedelta(days=1)
        decision: Decision | None = None
        while day <= SEASON_ENDS:
            decision = self._week(day, min(day + WEEK - timedelta(days=1), SEASON_ENDS))
            if decision is not None and decision.verdict == "retrain":
                break
            day += WEEK
        self._found.claim("the season's change asks for a new model", decision, {"retrain"})
        renewal = self._found.renewal()
        if renewal is None:
            self.checks.verify(
                "the lifecycle starts by itself", holds=False, found="no run was started"
            )
            return
        followed = follow_run(self._speech, self._airflow, f"{NAME}__lifecycle", renewal)
        self.checks.verify(
            "the lifecycle starts by itself",
            holds=followed.state == "success",
            found=f"run {renewal} ended with {followed.state}",
        )
        self._speech.say(self._found.verify_judgement(followed))

    def _lifecycle(self, window_end: datetime) -> Followed:
        """Start the lifecycle as the form of Airflow's page does, and show it."""
        conf = {"window_end": window_end.isoformat()}
        run = self._airflow.trigger(f"{NAME}__lifecycle", conf)
        return follow_run(self._speech, self._airflow, f"{NAME}__lifecycle", run)

    def _week(self, first: date, last: date) -> Decision | None:
        """Serve the days, land their files, and let monitoring judge them in one run."""
        for day in _days(first, last):
            self._serve(day)
        until = _morning_after(last)
        self._outside.land(until)
        run = self._airflow.trigger(f"{NAME}__monitoring", {"window_end": until.isoformat()})
        followed = follow_run(self._speech, self._airflow, f"{NAME}__monitoring", run)
        judged = followed.step("monitoring")
        # The run's word is that of the day that asks for most, which need not be the last one.
        day = date.fromisoformat(str(judged.facts["day"])) if judged else last
        decision = self._found.decision(day)
        if judged is None or decision is None:
            why = "; ".join(step.why for step in followed.failed) or "no decision was written"
            self.checks.verify(f"{last} was judged", holds=False, found=why)
            return None
        self._speech.say(f"{decision.day}: {decision.verdict}. {decision.sentence} {decision.next}")
        return decision

    def _serve(self, day: date) -> None:
        rows = self._outside.requests(day)
        answer = self._found.service().predict(rows)
        self._served += len(rows)
        holder = read_champion(self._found.store, NAME)
        digest = answer.get("model")
        if holder is None or digest != holder.digest:
            self.checks.verify(
                f"{day} is answered by the champion", holds=False, found=f"by {plain(digest)}"
            )

    def _chapter(self, title: str) -> None:
        self._speech.say(f"\n— {title}")


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def _morning_after(day: date) -> datetime:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + timedelta(days=1) + FILES_LAND
