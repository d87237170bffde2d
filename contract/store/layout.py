"""Where everything of a problem lies in the store: the one module that declares keys.

A family of keys is a class that cannot be declared without saying how long its objects are kept,
which is all that `perennial.garbage` goes by.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TypeVar

from contract.errors import InvalidRequest
from contract.store.key import FAMILIES, Key, Retention

MANIFEST = "manifest.json"
RECENT = timedelta(days=460)  # a label may be waited for 400 days, and counts for 28 days more


class ChampionKey(Key, template="{problem}/champion.json", retention=Retention.POINTER):
    """Who serves: `contract.champion.Champion`, moved by compare-and-swap."""

    problem: str


class RolloutKey(Key, template="{problem}/rollout.json", retention=Retention.POINTER):
    """What one machine's service should take: `contract.serving_state.Rollout`."""

    problem: str


class ServiceKey(Key, template="{problem}/service.json", retention=Retention.POINTER):
    """Where the service listens: `contract.serving_state.ServiceAddress`."""

    problem: str


class RetrainingLeaseKey(Key, template="{problem}/retraining.json", retention=Retention.POINTER):
    """Which retraining is in flight: `contract.store.retraining_lease.RetrainingLease`."""

    problem: str


class AlertsKey(Key, template="{problem}/alerts.json", retention=Retention.POINTER):
    """Open alerts, and messages that wait: `contract.alerts.AlertState`, by compare-and-swap."""

    problem: str


class SourceHeadKey(Key, template="{problem}/raw/{source}/HEAD.json", retention=Retention.POINTER):
    """What is committed of a source: `contract.store.source_head.SourceHead`."""

    problem: str
    source: str


class LandedPartKey(
    Key,
    template="{problem}/raw/{source}/runs/{run}/{digest}.parquet",
    retention=Retention.NAMED,
):
    """Landed rows, unknown until HEAD.json names them; `digest` is the sha256 of the file."""

    problem: str
    source: str
    run: str
    digest: str


class ManifestKey(
    Key, template="{problem}/runs/{run}/{stage}/" + MANIFEST, retention=Retention.RUN
):
    """The proof that a stage is done: `contract.manifest.Manifest`, written last."""

    problem: str
    run: str
    stage: str


class OutputKey(Key, template="{problem}/runs/{run}/{stage}/{file}", retention=Retention.RUN):
    """One output of a stage; `file` holds the beginning of its own sha256."""

    problem: str
    run: str
    stage: str
    file: str


class ModelFileKey(
    Key, template="{problem}/models/sha256/{digest}/{file}", retention=Retention.MODEL
):
    """One file of a model bundle; `digest` is the sha256 of the bundle's manifest."""

    problem: str
    digest: str
    file: str


class LedgerKey(Key, template="{problem}/ledger/{number:08d}.json", retention=Retention.HISTORY):
    """What was done and why: `contract.store.ledger.LedgerEntry`, numbered from 0."""

    problem: str
    number: int


class PredictionsKey(
    Key,
    template="{problem}/predictions/dt={day}/hour={hour}/{segment}.parquet",
    retention=Retention.HISTORY,
):
    """A segment of the prediction log, under the hour (UTC) in which it was begun."""

    problem: str
    day: date
    hour: str
    segment: str


class FeedbackKey(
    Key, template="{problem}/feedback/dt={day}/{segment}.parquet", retention=Retention.HISTORY
):
    """Labels that clients sent."""

    problem: str
    day: date
    segment: str


class DecisionKey(
    Key, template="{problem}/monitoring/{day}/decision.json", retention=Retention.HISTORY
):
    """What monitoring decided about a day: `contract.decision.Decision`."""

    problem: str
    day: date


class WindowProfileKey(
    Key, template="{problem}/monitoring/{day}/window.json", retention=Retention.HISTORY
):
    """The merged days that a retraining was asked for about: `methods.drift.profile.DayProfile`.

    Where its challenger is refused, this world is the accepted one, however long ago that was.
    """

    problem: str
    day: date


class DayPageKey(Key, template="{problem}/monitoring/{day}/page.html", retention=Retention.HISTORY):
    """The page of a day."""

    problem: str
    day: date


class DayProfileKey(
    Key,
    template="{problem}/monitoring/{day}/profile-{prefix_of_digest}.json",
    retention=Retention.HISTORY,
):
    """The profile of the rows that one model answered on a day."""

    problem: str
    day: date
    prefix_of_digest: str
    """The first 16 digits of the model's digest."""


class LogIndexKey(Key, template="{problem}/monitoring/log-index.json", retention=Retention.POINTER):
    """Which segments of the prediction log were seen, and which days each holds rows of."""

    problem: str


class DayLinesKey(
    Key,
    template="{problem}/monitoring/{day}/lines-{prefix_of_digest}-{number:08d}.parquet",
    retention=Retention.RECENT,
):
    """Score, times and hashed key of a day's rows, for labels that come late; numbered from 0."""

    problem: str
    day: date
    prefix_of_digest: str
    number: int


class DaySampleKey(
    Key,
    template="{problem}/monitoring/{day}/sample-{prefix_of_digest}.parquet",
    retention=Retention.RECENT,
):
    """The features of at most 10,000 rows that one model answered on a day."""

    problem: str
    day: date
    prefix_of_digest: str


class LabelIndexKey(
    Key, template="{problem}/monitoring/label-index.json", retention=Retention.POINTER
):
    """Which parts of the labels' source were looked into, and how far each reaches."""

    problem: str


class LabelPartKey(
    Key, template="{problem}/monitoring/labels/{digest}.parquet", retention=Retention.HISTORY
):
    """The labels in one landed part, by the hash of their key; `digest` is the part's sha256."""

    problem: str
    digest: str


AnyKey = TypeVar("AnyKey", bound=Key)


def parse_key(text: str) -> Key | None:
    """Return the typed key; None for one that this version does not know."""
    return next((key for family in FAMILIES if (key := family.parse(text))), None)


def parse_keys(texts: Iterable[str], family: type[AnyKey]) -> Iterator[AnyKey]:
    """Yield those keys that are of `family`."""
    return (key for text in texts if (key := family.parse(text)) is not None)


def champion_key(problem: str) -> str:
    """Return the key of `contract.champion.Champion`."""
    return str(ChampionKey(problem))


def rollout_key(problem: str) -> str:
    """Return the key of `contract.serving_state.Rollout`."""
    return str(RolloutKey(problem))


def service_key(problem: str) -> str:
    """Return the key of `contract.serving_state.ServiceAddress`."""
    return str(ServiceKey(problem))


def run_prefix(problem: str, run: str) -> str:
    """Return the prefix of a run, without a slash at its end."""
    return ManifestKey.prefix(problem, run=run).removesuffix("/")


def stage_prefix(problem: str, run: str, stage: str) -> str:
    """Return the prefix under which a stage of a run writes, without a slash at its end."""
    return OutputKey.prefix(problem, run=run, stage=stage).removesuffix("/")


def parse_stage_prefix(prefix: str) -> ManifestKey:
    """Return the key of the manifest of the stage that writes under `prefix`.

    Raises:
        InvalidRequest: a stage does not write there.
    """
    key = ManifestKey.parse(f"{prefix.rstrip('/')}/{MANIFEST}")
    if key is None:
        sentence = f"A stage cannot write under {prefix!r}, PROBLEM/runs/RUN/STAGE is expected."
        raise InvalidRequest(sentence)
    return key


def bundle_prefix(problem: str, digest: str) -> str:
    """Return the prefix of a model bundle, without a slash at its end."""
    return ModelFileKey.prefix(problem, digest=digest).removesuffix("/")


def parse_bundle_prefix(prefix: str) -> ModelFileKey | None:
    """Return the key of the manifest of the bundle at `prefix`; None where none can lie there."""
    key = ModelFileKey.parse(f"{prefix}/{MANIFEST}")
    return key if key is not None and key.file == MANIFEST else None
