"""The chapters: land, make, serve, watch, break, mend, let the season change, renew.

Nothing of it is scripted but the calendar: verdicts, scores and decisions are read back from where
the product keeps them. A chapter's claim is what a reader is told to expect; where the data decide
otherwise the story says so and ends with an exit code that is not 0.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contract.decision import Decision
from contract.errors import AskedWrongly
from contract.ledger import Entry, Ledger
from contract.store import Store
from perennial.airflow import Airflow
from perennial.asking import follow_run
from perennial.following import Followed
from perennial.place import Platform
from perennial.service import Service
from perennial.speech import Speech, plain
from perennial.standing import champion
from perennial.story.checks import Checks
from perennial.story.outside import Outside

NAME = "flights"
FIRST_MODEL = date(2013, 5, 15)
QUIET = (date(2013, 5, 15), date(2013, 5, 21))
BROKEN = (date(2013, 5, 22), date(2013, 5, 28))
FAULTY = BROKEN
SEASON_ENDS = date(2013, 7, 16)
WEEK = timedelta(days=7)
FILES_LAND = timedelta(hours=9)  # of the next day; they land at eight
RENEWAL_STATES = {"queued", "running"}


class Telling:
    """One telling of the story on a platform that is up."""

    name = NAME

    def __init__(self, speech: Speech, platform: Platform, outside: Outside) -> None:
        self.checks = Checks()
        self._speech = speech
        self._platform = platform
        self._outside = outside
        self._store: Store = platform.store()
        self._airflow: Airflow = platform.airflow()
        self._served = 0

    def tell(self) -> None:
        """Tell all of it."""
        self._chapter("Four months of departures have landed")
        files = self._outside.land(_morning_after(FIRST_MODEL - timedelta(days=1)))
        self._speech.say(f"{files} files; nothing from after {FIRST_MODEL} is visible.")

        self._chapter("The first model is made, judged and deployed")
        first = self._lifecycle(_morning_after(FIRST_MODEL - timedelta(days=1)))
        if not self._verify_deployment(first):
            return

        self._chapter("A quiet week: requests are answered, labels arrive a day later")
        decision = self._week(*QUIET)
        self._claim("a quiet week asks for nothing", decision, {"ok", "watch", "warn"})
        self._verify_labels(decision)

        self._chapter("A broken feed: distances come in kilometres")
        self._outside.fault = ("unit", *FAULTY)
        decision = self._week(*BROKEN)
        self._claim("broken data block retraining", decision, {"blocked_data_quality"})
        self._verify_nothing_started()
        self._outside.fault = None

        self._chapter("The feed is mended, and the season changes")
        self._season()

    def _season(self) -> None:
        """Let weeks pass until monitoring asks for a new model, then watch it being judged."""
        day = BROKEN[1] + timedelta(days=1)
        decision: Decision | None = None
        while day <= SEASON_ENDS:
            decision = self._week(day, min(day + WEEK - timedelta(days=1), SEASON_ENDS))
            if decision is not None and decision.verdict == "retrain":
                break
            day += WEEK
        self._claim("the season's change asks for a new model", decision, {"retrain"})
        renewal = self._renewal()
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
        self._verify_judgement(followed)

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
        decision = self._decision(day)
        if judged is None or decision is None:
            why = "; ".join(step.why for step in followed.failed) or "no decision was written"
            self.checks.verify(f"{last} was judged", holds=False, found=why)
            return None
        self._speech.say(f"{decision.day}: {decision.verdict}. {decision.sentence} {decision.next}")
        return decision

    def _serve(self, day: date) -> None:
        rows = self._outside.requests(day)
        answer = self._service().predict(rows)
        self._served += len(rows)
        holder = champion(self._store, NAME)
        digest = answer.get("model")
        if holder is None or digest != holder.digest:
            self.checks.verify(
                f"{day} is answered by the champion", holds=False, found=f"by {plain(digest)}"
            )

    def _service(self) -> Service:
        service = self._platform.service(NAME)
        if service is None:
            raise AskedWrongly(f"No service of {NAME!r} announced itself; see `perennial status`.")
        return service

    def _decision(self, day: date) -> Decision | None:
        found = self._store.get_with_etag(f"{NAME}/monitoring/{day.isoformat()}/decision.json")
        return None if found is None else Decision.model_validate_json(found[0])

    def _renewal(self) -> str | None:
        """Return the lifecycle run that monitoring started."""
        runs = self._airflow.runs(f"{NAME}__lifecycle")
        started = (run.dag_run_id for run in runs if run.run_type == "operator_triggered")
        return next(started, None)

    def _claim(self, claim: str, decision: Decision | None, expected: set[str]) -> None:
        found = "no decision" if decision is None else f"{decision.day}: {decision.verdict}"
        holds = decision is not None and decision.verdict in expected
        self.checks.verify(claim, holds=holds, found=found)

    def _verify_deployment(self, followed: Followed) -> bool:
        holder = champion(self._store, NAME)
        service = self._platform.service(NAME)
        answers = service.digest() if service else None
        trained = followed.step("training")
        made = trained.facts.get("digest") if trained else None
        self.checks.verify(
            "the lifecycle ends well in Airflow",
            holds=followed.state == "success",
            found=f"run {followed.run}: {followed.state}",
        )
        self.checks.verify(
            "the store names the new model as champion",
            holds=holder is not None and holder.digest == made,
            found=f"champion {plain(holder.digest) if holder else 'none'}",
        )
        return self.checks.verify(
            "the service answers with it",
            holds=answers is not None and answers == made,
            found=f"the service serves {plain(answers or 'nothing')}",
        )

    def _verify_labels(self, decision: Decision | None) -> None:
        performance = decision.performance if decision else None
        rows = decision.window.rows if decision else 0
        self.checks.verify(
            "every answered row is in the prediction log",
            holds=rows == self._served,
            found=f"{rows:,} logged of {self._served:,} answered",
        )
        self.checks.verify(
            "late labels are joined",
            holds=performance is not None and performance.n_labelled > 0,
            found=f"{performance.n_labelled:,} labelled rows" if performance else "none",
        )

    def _verify_nothing_started(self) -> None:
        renewal = self._renewal()
        self.checks.verify(
            "nothing is retrained on broken data",
            holds=renewal is None,
            found=f"run {renewal}" if renewal else "no run was started",
        )

    def _verify_judgement(self, followed: Followed) -> None:
        verdict, trained = followed.step("evaluation"), followed.step("training")
        holder = champion(self._store, NAME)
        if verdict is None or trained is None or holder is None:
            self.checks.verify("the challenger is judged", holds=False, found=followed.state)
            return
        promoted = verdict.outcome == "accepted"
        entries = [entry for entry in self.entries() if entry.run in followed.run]
        why = entries[-1].reason if entries else "the ledger says nothing"
        self._speech.say(f"The gate: {verdict.outcome}. {why}")
        self.checks.verify(
            "the challenger is judged against the champion, and the ledger says why",
            holds=bool(entries) and (holder.digest == trained.facts.get("digest")) == promoted,
            found=f"{verdict.outcome}; champion {plain(holder.digest)}",
        )
        self.checks.verify(
            "the service answers with the champion",
            holds=self._service().digest() == holder.digest,
            found=f"the service serves {plain(self._service().digest() or 'nothing')}",
        )

    def entries(self) -> list[Entry]:
        """Return what was decided, oldest first."""
        return Ledger(self._store, NAME).entries()

    def links(self) -> dict[str, str]:
        """Return where to look: Airflow, the pages of the last run, the service's docs."""
        run = next(iter(self._airflow.runs(f"{NAME}__lifecycle", limit=1)), None)
        links = self._platform.links()
        url = links["airflow"]
        if run is not None:
            links["pages of the last run"] = (
                f"{url}/dags/{NAME}__lifecycle/runs/{run.dag_run_id}/plugin/report"
            )
        service = self._platform.service(NAME)
        if service is not None:
            links["the service's docs"] = service.url
        return links

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
