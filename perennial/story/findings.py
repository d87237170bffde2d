"""What the store, Airflow and the service say, and the story's claims held against it."""

from datetime import date

from contract.decision import Decision
from contract.errors import AskedWrongly
from contract.store.champion_pointer import read_champion
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import DecisionKey
from contract.store.ledger import Ledger, LedgerEntry
from perennial.clients.airflow_api import Airflow
from perennial.clients.service import Service
from perennial.console import plain
from perennial.platform import Platform
from perennial.runs import Followed
from perennial.story.checks import Checks

NAME = "flights"


class Findings:
    """What is read back from a platform that is up, and what was found so."""

    def __init__(self, platform: Platform) -> None:
        self.checks = Checks()
        self.store: Store = platform.store()
        self.airflow: Airflow = platform.airflow()
        self._platform = platform

    def service(self) -> Service:
        """Return the service that answers for the problem."""
        service = self._platform.service(NAME)
        if service is None:
            raise AskedWrongly(f"No service of {NAME!r} announced itself; see `perennial status`.")
        return service

    def decision(self, day: date) -> Decision | None:
        """Return what monitoring decided for `day`."""
        return read_document(self.store, str(DecisionKey(NAME, day)), Decision)

    def renewal(self) -> str | None:
        """Return the lifecycle run that monitoring started."""
        runs = self.airflow.runs(f"{NAME}__lifecycle")
        started = (run.dag_run_id for run in runs if run.run_type == "operator_triggered")
        return next(started, None)

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return Ledger(self.store, NAME).entries()

    def links(self) -> dict[str, str]:
        """Return where to look: Airflow, the pages of the last run, the service's docs."""
        run = next(iter(self.airflow.runs(f"{NAME}__lifecycle", limit=1)), None)
        links = self._platform.links()
        if run is not None:
            links["pages of the last run"] = (
                f"{links['airflow']}/dags/{NAME}__lifecycle/runs/{run.dag_run_id}/plugin/report"
            )
        service = self._platform.service(NAME)
        if service is not None:
            links["the service's docs"] = service.url
        return links

    def claim(self, claim: str, decision: Decision | None, expected: set[str]) -> None:
        """Hold a claim against the verdict of a decision."""
        found = "no decision" if decision is None else f"{decision.day}: {decision.verdict}"
        holds = decision is not None and decision.verdict in expected
        self.checks.verify(claim, holds=holds, found=found)

    def verify_deployment(self, followed: Followed) -> bool:
        """See that the run's model is named, and answers; return whether it answers."""
        holder = read_champion(self.store, NAME)
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

    def verify_labels(self, decision: Decision | None, served: int) -> None:
        """See that every row of `served` was logged, and that labels came."""
        performance = decision.performance if decision else None
        rows = decision.window.rows if decision else 0
        self.checks.verify(
            "every answered row is in the prediction log",
            holds=rows == served,
            found=f"{rows:,} logged of {served:,} answered",
        )
        self.checks.verify(
            "late labels are joined",
            holds=performance is not None and performance.n_labelled > 0,
            found=f"{performance.n_labelled:,} labelled rows" if performance else "none",
        )

    def verify_nothing_started(self) -> None:
        """See that monitoring has started no lifecycle."""
        renewal = self.renewal()
        self.checks.verify(
            "nothing is retrained on broken data",
            holds=renewal is None,
            found=f"run {renewal}" if renewal else "no run was started",
        )

    def verify_judgement(self, followed: Followed) -> str:
        """See who serves after the challenger was judged; return what the gate said."""
        verdict, trained = followed.step("evaluation"), followed.step("training")
        holder = read_champion(self.store, NAME)
        if verdict is None or trained is None or holder is None:
            self.checks.verify("the challenger is judged", holds=False, found=followed.state)
            return "The gate said nothing."
        promoted = verdict.outcome == "accepted"
        entries = [entry for entry in self.entries() if entry.run in followed.run]
        why = entries[-1].reason if entries else "the ledger says nothing"
        self.checks.verify(
            "the challenger is judged against the champion, and the ledger says why",
            holds=bool(entries) and (holder.digest == trained.facts.get("digest")) == promoted,
            found=f"{verdict.outcome}; champion {plain(holder.digest)}",
        )
        self.checks.verify(
            "the service answers with the champion",
            holds=self.service().digest() == holder.digest,
            found=f"the service serves {plain(self.service().digest() or 'nothing')}",
        )
        return f"The gate: {verdict.outcome}. {why}"
