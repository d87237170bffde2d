"""What came of a run, in the product's words: who serves now, and why.

Airflow says of a run only that its tasks ended. `success` is also the state of a run whose model was
refused, or taken back; what people are shown is made here, for terminal and pages alike.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from contract.formatting import format_digest
from contract.strict import Strict

EXIT_NO_MODEL = 3
"""The exit code of a run after which no model serves: `refused`."""


class StageOutcome(Protocol):
    """What a stage reported: `contract.manifest.Result`, or a command's view of it."""

    @property
    def outcome(self) -> str:
        """Its word."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Its facts."""


class RunOutcome(Strict):
    """What came of a run."""

    word: str
    """`deployed`, `returned`, `refused`, `not approved`; of monitoring the verdict."""
    sentence: str
    serves: bool
    """False where no model serves after a lifecycle run."""

    @property
    def exit_code(self) -> int:
        """0 where a model serves, whichever it is; else 3."""
        return 0 if self.serves else EXIT_NO_MODEL


def run_outcome(
    problem: str, results: Mapping[str, StageOutcome], champion: str | None
) -> RunOutcome | None:
    """Return what came of a run; None where it came to no end that has a name.

    `results` are those of its stages, by name; `champion` is the digest of the model that serves
    where the run deployed none, None: no model does.
    """
    if deployment := results.get("deployment"):
        return _deployment(problem, deployment, champion)
    if evaluation := results.get("evaluation"):
        word = "refused" if evaluation.outcome == "refused" else "not approved"
        what = f"{'the model' if champion is None else 'the challenger'} was {word}"
        why = evaluation.facts.get("reason") if word == "refused" else None
        return _without_deployment(problem, word, what, why, champion)
    if monitoring := results.get("monitoring"):
        sentence = str(monitoring.facts.get("sentence") or "")
        return RunOutcome(word=monitoring.outcome, sentence=sentence, serves=True)
    return None


def _deployment(problem: str, deployment: StageOutcome, champion: str | None) -> RunOutcome:
    why, digest = deployment.facts.get("reason"), deployment.facts.get("digest")
    name = format_digest(digest if isinstance(digest, str) else None, "the model")
    if deployment.outcome == "deployed":
        sentence = _with_reason(f"{name} serves {problem} now", why)
        return RunOutcome(word="deployed", sentence=sentence, serves=True)
    what = f"{name} was taken back"
    return _without_deployment(problem, "returned", what, why, champion)


def _without_deployment(
    problem: str, word: str, what: str, why: object, champion: str | None
) -> RunOutcome:
    start = (
        f"No model serves {problem}"
        if champion is None
        else f"{format_digest(champion)} goes on serving {problem}"
    )
    sentence = _with_reason(f"{start}: {what}", why)
    return RunOutcome(word=word, sentence=sentence, serves=champion is not None)


def _with_reason(start: str, why: object) -> str:
    """Join a clause and the sentence of its reason."""
    return f"{start}: {why}" if why else f"{start}."
