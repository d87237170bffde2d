"""What the monitoring says of a broken feed on its first, second and third day, and of a quiet year.

    python -m benchmarks.monitoring.broken [--rows 2000] [--seeds 1] [--quiet-days 0]

A reference of fifteen days, ten quiet days, then three days of one kind of fault (`feeds`), through
the product's own profiles, quality gate, comparison and decision; labels come a day later. With
`--quiet-days N` N days without any fault are counted instead, and every block among them is false.
"""

import argparse
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.monitoring.feeds import CONTROLS, FEEDS, NUMBERS, BrokenFeed
from benchmarks.monitoring.worlds import LEVELS, State, features
from bundle.arrays import Floats
from contract.decision import Decision, Window
from contract.faults import Fault
from contract.performance import Performance
from methods.controller.decide import decide
from methods.controller.evidence import Evidence, RetrainingState
from methods.controller.policy import Policy
from methods.drift.comparison import compare_profiles
from methods.drift.histograms import Kind, to_numbers
from methods.drift.profile import DayProfile, ReferenceProfile, day_profile, merge_profiles
from methods.drift.quality import check
from methods.drift.reference import reference_profile
from methods.drift.row_faults import volume_faults

FIRST = date(2024, 1, 1)
REFERENCE_DAYS = 15
QUIET_DAYS = 10  # one of each weekday, so that steady rows are known to be steady
FAULT_DAYS = 3
KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(LEVELS, "category"),
    "flag": "boolean",
}
IMPORTANCE = {"heavy": 0.43, "second": 0.25, "third": 0.11, "skewed": 0.07, "amount": 0.08}
WEEK = 7


@dataclass
class Feed:
    """One champion and its days, as monitoring would hold them."""

    rows: int
    seed: int
    policy: Policy = field(default_factory=Policy)
    reference: ReferenceProfile = field(init=False)
    loss: tuple[float, float] = field(init=False)
    """Of the reference: mean and standard deviation over rows."""
    good: dict[date, DayProfile] = field(default_factory=dict)
    losses: dict[date, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = range(-REFERENCE_DAYS, 0)
        parts = [self.world(number, self.rows) for number in days]
        table = pa.concat_tables([part[0] for part in parts])
        scores, losses = score(table), np.concatenate([loss(*part) for part in parts])
        blocks = np.repeat([(day_of(n) - date(1970, 1, 1)).days for n in days], self.rows)
        content = reference_profile(
            table,
            scores,
            losses,
            KINDS,
            IMPORTANCE,
            blocks,
            [],
            are_days=True,
        )
        self.reference = ReferenceProfile.model_validate(content)
        self.loss = float(losses.mean()), float(losses.std())

    def world(self, number: int, rows: int) -> tuple[pa.Table, Floats]:
        """Return a day's true rows and labels."""
        random = np.random.default_rng([self.seed, number + 5_000])
        table, logit = features(number, random, rows, State())
        return table, (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)

    def serve(self, number: int, feed: BrokenFeed) -> tuple[list[Fault], Decision]:
        """Answer a day's requests and decide it."""
        day = day_of(number)
        table, labels = self.world(number, round(self.rows * feed.volume))
        keys = [f"{number}-{row}" for row in range(len(table))]
        served = table
        if feed.yesterday:
            served, _ = self.world(QUIET_DAYS - 1, len(table))
            keys = (
                [f"{QUIET_DAYS - 1}-{row}" for row in range(len(table))] if feed.old_keys else keys
            )
        if feed.change is not None:
            served = feed.change(served, np.random.default_rng([self.seed, number, 9]))
        if feed.twice:
            keys = [*keys, *(keys if feed.old_keys else [f"again-{key}" for key in keys])]
            served, labels = pa.concat_tables([served, served]), np.tile(labels, 2)
        profile = None
        if not feed.away:
            identity = pa.table({"key": keys})
            profile = day_profile(served, score(served), self.reference, str(day), identity)
            self.losses[day] = log_loss(labels, score(served))
        return self._decide(day, profile)

    def _decide(self, day: date, profile: DayProfile | None) -> tuple[list[Fault], Decision]:
        limits = self.policy.quality
        rows = 0 if profile is None else profile.rows
        before = {each: one.rows for each, one in self.good.items()}
        faults = volume_faults(
            day, rows, before, self.reference.weekdays, accepted=None, limits=limits
        )
        if profile is not None:
            faults = [*check(self.reference, profile, self.good, limits=limits), *faults]
        evidence = {} if profile is None or faults else self._evidence(day, profile)
        window = Window(days=(day,), rows=rows, rows_of_day=rows)
        decision = decide(
            Evidence.model_validate(
                {
                    "problem": "world",
                    "owner": "operations",
                    "day": day,
                    "at": datetime.combine(day, time(), UTC) + timedelta(days=1),
                    "run": "run",
                    "digest": None,
                    "window": window,
                    "shortage": None,
                    "dq": tuple(faults),
                    "retraining": RETRAINING,
                    **evidence,
                }
            ),
            self.policy,
        )
        if profile is not None and not faults:
            self.good[day] = profile
        elif faults:
            self.losses.pop(day, None)
        self.good = {each: one for each, one in self.good.items() if (day - each).days <= 4 * WEEK}
        return faults, decision

    def _evidence(self, day: date, profile: DayProfile) -> dict[str, object]:
        """Compare the week, and the loss of the labels that were known at the end of the day."""
        days = [one for each, one in self.good.items() if (day - each).days < WEEK]
        found = compare_profiles(
            self.reference, merge_profiles([profile, *days]), limits=self.policy.drift
        )
        known = [each for each in self.losses if 1 <= (day - each).days <= WEEK]
        performance = None
        if known:
            losses = np.concatenate([self.losses[each] for each in known])
            error = (losses.var() / len(losses) + self.loss[1] ** 2 / self.reference.rows) ** 0.5
            performance = Performance(
                metric="log_loss",
                ref=self.loss[0],
                cur=float(losses.mean()),
                low=float(losses.mean() - 2 * error),
                high=float(losses.mean() + 2 * error),
                change=float(losses.mean() / self.loss[0] - 1),
                z=float((losses.mean() - self.loss[0]) / error),
                z_limit=self.policy.forward_z,
                n_labelled=len(losses),
                coverage=1.0,
                first=min(known),
                last=max(known),
            )
        return {
            "columns": found.columns,
            "prediction": found.scores[0],
            "is_score_drifted": found.is_score_drifted,
            "impact": found.impact,
            "unseen": found.unseen,
            "performance": performance,
        }


RETRAINING = RetrainingState(
    mode="auto",
    cooldown_until=None,
    retrains=0,
    max_retrains=4,
    new_labels=None,
    min_new_labels=0,
    age=timedelta(0),
    max_age=timedelta(days=56),
    blocked_before=False,
)


def day_of(number: int) -> date:
    """Return the date of a day, counted from a Monday."""
    return FIRST + timedelta(days=number)


def score(table: pa.Table) -> Floats:
    """Answer rows as a model of the quiet world does, a missing or unusable number as its median."""

    def column(name: str, median: float = 0.0) -> Floats:
        if name not in table.column_names:
            return np.full(len(table), median)
        values = to_numbers(table.column(name), "number")
        return np.where(np.isfinite(values), values, median)

    amount = np.log(np.maximum(column("amount", 20.0), 1e-3)) - 3
    margin = 1.2 * column("heavy") - 0.8 * column("second") + 0.6 * column("third") - 0.65
    margin += 0.6 * np.tanh(column("skewed", 1.0) - 1) + 0.3 * amount
    found: Floats = 1 / (1 + np.exp(-np.clip(margin, -30, 30)))
    return found


def log_loss(labels: Floats, scores: Floats) -> Floats:
    """Return the loss of each row."""
    found: Floats = -np.log(np.maximum(np.where(labels == 1, scores, 1 - scores), 1e-9))
    return found


def loss(table: pa.Table, labels: Floats) -> Floats:
    """Return the loss of each true row."""
    return log_loss(labels, score(table))


def quiet_days(rows: int, seed: int) -> Feed:
    """Return a champion that has served ten quiet days."""
    days = Feed(rows, seed)
    for number in range(QUIET_DAYS):
        days.serve(number, BrokenFeed())
    return days


def try_kind(
    quiet: Feed, feed: BrokenFeed, last: int = FAULT_DAYS
) -> list[tuple[list[Fault], Decision]]:
    """Return what is found and decided on the fault's first days, after the quiet ones."""
    days = copy(quiet)
    days.good, days.losses = dict(quiet.good), dict(quiet.losses)
    return [days.serve(QUIET_DAYS + number, feed) for number in range(last)]


def false_blocks(rows: int, days: int, seed: int) -> list[tuple[date, Fault]]:
    """Return the faults that are found in a quiet world."""
    world = Feed(rows, seed)
    return [
        (day_of(number), fault)
        for number in range(days)
        for fault in world.serve(number, BrokenFeed())[0]
    ]


def _cell(faults: list[Fault], decision: Decision) -> str:
    names = [fault.check + (f" {fault.column}" if fault.column else "") for fault in faults[:2]]
    if names:
        return f"blocked: {', '.join(names)}"
    return f"{decision.verdict} {decision.reason or ''}".strip()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quiet-days", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.quiet_days:
        for seed in range(options.seeds):
            found = false_blocks(options.rows, options.quiet_days, seed)
            print(
                f"{options.rows} rows, seed {seed}: {len({day for day, _ in found})} false blocks"
            )
            for day, fault in found:
                print(f"  {day} {fault.check}: {fault.sentence}")
        return
    blocked: Mapping[str, list[bool]] = {name: [] for name in FEEDS}
    for seed in range(options.seeds):
        quiet = quiet_days(options.rows, seed)
        for name, feed in FEEDS.items():
            if options.only not in name:
                continue
            days = try_kind(quiet, feed)
            blocked[name].append(bool(days[0][0]))
            print(f"| {name} | {' | '.join(_cell(*each) for each in days)} |", flush=True)
    faults = [name for name in FEEDS if name not in CONTROLS]
    first = sum(all(blocked[name]) and bool(blocked[name]) for name in faults)
    print(f"{first} of {len(faults)} kinds are blocked on the first day, of {options.seeds} seeds.")


if __name__ == "__main__":
    main()
