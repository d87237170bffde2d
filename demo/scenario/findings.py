"""What the store, Airflow and the service say of the flights, and the claims it is compared with."""

from datetime import date

from contract.decision import Decision
from contract.errors import InvalidRequest
from contract.formatting import format_digest
from contract.store.champion_pointer import read_champion
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import DecisionKey, parse_keys
from contract.store.ledger import Ledger, LedgerEntry
from demo.scenario.checks import Verification
from demo.scenario.earnings import answer, effects
from perennial.clients.airflow_api import Airflow
from perennial.clients.service import Service
from perennial.platform import Platform
from perennial.runs import FinishedRun

NAME = "flights"


class PlatformFindings:
    """Reads back from a platform that is up, and keeps which claims hold."""

    def __init__(self, platform: Platform) -> None:
        self.verification = Verification()
        self.store: Store = platform.store()
        self.airflow: Airflow = platform.airflow()
        self._platform = platform

    def service(self) -> Service:
        """Return the service that answers for the problem."""
        service = self._platform.service(NAME)
        if service is None:
            raise InvalidRequest(
                f"No service of {NAME!r} announced itself; see `perennial status`."
            )
        return service

    def decision(self, day: date) -> Decision | None:
        """Return what monitoring decided for `day`."""
        return read_document(self.store, str(DecisionKey(NAME, day)), Decision)

    def decisions(self) -> list[Decision]:
        """Return what monitoring decided, oldest first."""
        keys = parse_keys(self.store.keys(DecisionKey.prefix(NAME)), DecisionKey)
        decided = (self.decision(key.day) for key in sorted(keys, key=lambda key: key.day))
        return [decision for decision in decided if decision is not None]

    def started(self) -> list[str]:
        """Return the lifecycle runs that monitoring started, oldest first."""
        runs = self.airflow.runs(f"{NAME}__lifecycle")
        return [run.dag_run_id for run in runs if run.run_type == "operator_triggered"][::-1]

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""
        return Ledger(self.store, NAME).entries()

    def links(self) -> dict[str, str]:
        """Return where a person looks: Airflow, the pages of the last run, the service's docs."""
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
        """Verify that the verdict of a decision is one of `expected`."""
        found = "no decision" if decision is None else f"{decision.day}: {decision.verdict}"
        holds = decision is not None and decision.verdict in expected
        self.verification.verify(claim, holds=holds, found=found)

    def verify_deployment(self, followed: FinishedRun) -> bool:
        """Verify that the run's model is the champion and is served; return whether it is served."""
        champion = read_champion(self.store, NAME)
        service = self._platform.service(NAME)
        served = service.digest() if service else None
        trained = followed.step("training")
        digest = trained.facts.get("digest") if trained else None
        self.verification.verify(
            "the lifecycle ends well in Airflow",
            holds=followed.state == "success",
            found=f"run {followed.run}: {followed.state}",
        )
        self.verification.verify(
            "the store names the new model as champion",
            holds=champion is not None and champion.digest == digest,
            found=f"champion {format_digest(champion.digest) if champion else 'none'}",
        )
        return self.verification.verify(
            "the service answers with it",
            holds=served is not None and served == digest,
            found=f"the service serves {format_digest(served, 'nothing')}",
        )

    def verify_labels(self, decision: Decision | None, served: int) -> None:
        """Verify that all of the `served` rows were logged, and that labels were joined."""
        performance = decision.performance if decision else None
        rows = decision.window.rows if decision else 0
        self.verification.verify(
            "every answered row is in the prediction log",
            holds=rows == served,
            found=f"{rows:,} logged of {served:,} answered",
        )
        self.verification.verify(
            "late labels are joined",
            holds=performance is not None and performance.n_labelled > 0,
            found=f"{performance.n_labelled:,} labelled rows" if performance else "none",
        )

    def verify_nothing_started(self) -> None:
        """Verify that monitoring has started no lifecycle."""
        runs = self.started()
        self.verification.verify(
            "nothing is retrained on broken data",
            holds=not runs,
            found=", ".join(runs) or "no run was started",
        )

    def verify_refusal(self, followed: FinishedRun) -> None:
        """Verify that the gate refused the run's model."""
        verdict = followed.step("evaluation")
        self.verification.verify(
            "a challenger that is no better is refused",
            holds=verdict is not None and verdict.outcome == "refused",
            found=verdict.outcome if verdict else followed.state,
        )

    def is_promoted(self, followed: FinishedRun) -> bool:
        """Return whether the run's model is the champion now."""
        trained, champion = followed.step("training"), read_champion(self.store, NAME)
        digest = trained.facts.get("digest") if trained else None
        return champion is not None and champion.digest == digest

    def verify_effect(self) -> None:
        """Verify that monitoring measured what the promotion did."""
        measured = effects(self.decisions())
        self.verification.verify(
            "what a promotion did is measured on the rows that came after it",
            holds=bool(measured),
            found=measured[-1].sentence if measured else "no decision says so",
        )

    def earnings(self) -> str:
        """Return what the loop earned."""
        served = [entry for entry in self.entries() if entry.kind == "deployed"]
        return answer(effects(self.decisions()), len(served) - 1)

    def verify_evaluation(self, followed: FinishedRun) -> str:
        """Verify who serves after the challenger was evaluated; return the gate's verdict in words."""
        verdict, trained = followed.step("evaluation"), followed.step("training")
        champion = read_champion(self.store, NAME)
        if verdict is None or trained is None or champion is None:
            self.verification.verify(
                "the challenger is evaluated", holds=False, found=followed.state
            )
            return "The gate gave no verdict."
        promoted = verdict.outcome == "accepted"
        digest = trained.facts.get("digest")
        entries = [entry for entry in self.entries() if entry.digest == digest]
        why = entries[-1].reason if entries else "the ledger says nothing"
        self.verification.verify(
            "the challenger is evaluated against the champion, and the ledger says why",
            holds=bool(entries) and (champion.digest == digest) == promoted,
            found=f"{verdict.outcome}; champion {format_digest(champion.digest)}",
        )
        self.verification.verify(
            "the service answers with the champion",
            holds=self.service().digest() == champion.digest,
            found=f"the service serves {format_digest(self.service().digest(), 'nothing')}",
        )
        return f"The gate: {verdict.outcome}. {why}"
