"""Where everything of a problem lies in the store: the one module that makes and parses keys.

A family of keys is a class: its template makes a key (`str(key)`), its pattern parses one, and it
cannot be declared without saying how long its objects are kept, which is all that
`perennial.garbage` goes by.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from string import Formatter
from typing import ClassVar, Self, TypeVar

from contract.errors import InvalidRequest

MANIFEST = "manifest.json"

_PATTERNS = {
    "digest": r"[0-9a-f]{64}",
    "prefix_of_digest": r"[0-9a-f]{16}",
    "number": r"\d{8,}",
    "day": r"\d{4}-\d{2}-\d{2}",
    "hour": r"\d{2}",
    "file": r".+",
}
_CONVERTERS: dict[str, Callable[[str], object]] = {"number": int, "day": date.fromisoformat}


def _pattern_of(template: str) -> Iterator[str]:
    for literal, name, _, _ in Formatter().parse(template):
        yield re.escape(literal)
        if name is not None:
            yield f"(?P<{name}>{_PATTERNS.get(name, '[^/]+')})"


class Retention(Enum):
    """How long the objects of a family are kept."""

    POINTER = "as long as the problem: it is one object, and moved in place"
    HISTORY = "as long as the problem: what happened"
    RUN = "as long as its run"
    MODEL = "as long as its model"
    NAMED = "while a source's HEAD.json or a document of a kept run names it"


@dataclass(frozen=True)
class Key:
    """One object's key; `problem` is the first part of every one."""

    template: ClassVar[str]
    retention: ClassVar[Retention]
    _pattern: ClassVar[re.Pattern[str]]

    problem: str

    def __init_subclass__(cls, template: str, retention: Retention) -> None:
        """Register a family."""
        super().__init_subclass__()
        cls.template, cls.retention = template, retention
        cls._pattern = re.compile("".join(_pattern_of(template)))
        FAMILIES.append(cls)

    def __str__(self) -> str:
        """Return the key as the store takes it."""
        return self.template.format(**{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the parts of a key; None where it is not of this family."""
        match = cls._pattern.fullmatch(text)
        if match is None:
            return None
        try:
            parts = {
                name: _CONVERTERS.get(name, str)(part) for name, part in match.groupdict().items()
            }
        except ValueError:  # the 31st of February
            return None
        return cls(**parts)  # type: ignore[arg-type] # each pattern fits its field

    @classmethod
    def prefix(cls, problem: str, **known: object) -> str:
        """Return what all keys of this family begin with, up to the first part that is not `known`.

        >>> PredictionsKey.prefix("flights", day="2026-01-31")
        'flights/predictions/dt=2026-01-31/hour='
        """
        values = {"problem": problem, **known}
        text = ""
        for literal, name, form, _ in Formatter().parse(cls.template):
            text += literal
            if name is None or name not in values:
                break
            text += format(values[name], form or "")
        return text


FAMILIES: list[type[Key]] = []
"""Every family, in the order in which `parse_key` tries them."""


@dataclass(frozen=True)
class ChampionKey(Key, template="{problem}/champion.json", retention=Retention.POINTER):
    """Who serves: `contract.champion.Champion`, moved by compare-and-swap."""


@dataclass(frozen=True)
class RolloutKey(Key, template="{problem}/rollout.json", retention=Retention.POINTER):
    """What one machine's service should take: `contract.serving_state.Rollout`."""


@dataclass(frozen=True)
class ServiceKey(Key, template="{problem}/service.json", retention=Retention.POINTER):
    """Where the service listens: `contract.serving_state.ServiceAddress`."""


@dataclass(frozen=True)
class SourceHeadKey(Key, template="{problem}/raw/{source}/HEAD.json", retention=Retention.POINTER):
    """What is committed of a source: `contract.store.source_head.SourceHead`."""

    source: str


@dataclass(frozen=True)
class LandedPartKey(
    Key,
    template="{problem}/raw/{source}/runs/{run}/{digest}.parquet",
    retention=Retention.NAMED,
):
    """Landed rows, unknown until HEAD.json names them; `digest` is the sha256 of the file."""

    source: str
    run: str
    digest: str


@dataclass(frozen=True)
class ManifestKey(
    Key, template="{problem}/runs/{run}/{stage}/" + MANIFEST, retention=Retention.RUN
):
    """The proof that a stage is done: `contract.manifest.Manifest`, written last."""

    run: str
    stage: str


@dataclass(frozen=True)
class OutputKey(Key, template="{problem}/runs/{run}/{stage}/{file}", retention=Retention.RUN):
    """One output of a stage; `file` holds the beginning of its own sha256."""

    run: str
    stage: str
    file: str


@dataclass(frozen=True)
class ModelFileKey(
    Key, template="{problem}/models/sha256/{digest}/{file}", retention=Retention.MODEL
):
    """One file of a model bundle; `digest` is the sha256 of the bundle's manifest."""

    digest: str
    file: str


@dataclass(frozen=True)
class LedgerKey(Key, template="{problem}/ledger/{number:08d}.json", retention=Retention.HISTORY):
    """What was done and why: `contract.store.ledger.LedgerEntry`, numbered from 0."""

    number: int


@dataclass(frozen=True)
class PredictionsKey(
    Key,
    template="{problem}/predictions/dt={day}/hour={hour}/{segment}.parquet",
    retention=Retention.HISTORY,
):
    """A segment of the prediction log, under the hour (UTC) in which it was begun."""

    day: date
    hour: str
    segment: str


@dataclass(frozen=True)
class FeedbackKey(
    Key, template="{problem}/feedback/dt={day}/{segment}.parquet", retention=Retention.HISTORY
):
    """Labels that clients sent."""

    day: date
    segment: str


@dataclass(frozen=True)
class DecisionKey(
    Key, template="{problem}/monitoring/{day}/decision.json", retention=Retention.HISTORY
):
    """What monitoring decided about a day: `contract.decision.Decision`."""

    day: date


@dataclass(frozen=True)
class DayPageKey(Key, template="{problem}/monitoring/{day}/page.html", retention=Retention.HISTORY):
    """The page of a day."""

    day: date


@dataclass(frozen=True)
class DayProfileKey(
    Key,
    template="{problem}/monitoring/{day}/profile-{prefix_of_digest}.json",
    retention=Retention.HISTORY,
):
    """The profile of the rows that one model answered on a day."""

    day: date
    prefix_of_digest: str
    """The first 16 digits of the model's digest."""


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
