"""A small world whose drift is known, after the measurements behind the monitoring's rules.

The model is the world's own probability before anything changed, so what a scenario does to
columns, score and loss is known without training anything.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from methods.drift.profile import DayProfile, ReferenceProfile, day_profile
from methods.drift.reference import reference_profile

NUMBERS = ("heavy", "second", "third", "skewed", "uniform", "counted", "noise", "noise_skewed")
CATEGORIES = {"kind": 8, "place": 30, "code": 200}
KINDS = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(CATEGORIES, "category")
IMPORTANCE = {
    "heavy": 0.43,
    "second": 0.25,
    "third": 0.11,
    "skewed": 0.07,
    "kind": 0.08,
    "place": 0.03,
    "uniform": 0.02,
    "counted": 0.01,
}
HARMLESS = ("none", "noise_moves")
BROKEN = ("unit", "null", "renamed", "filled", "missing")


def world(
    rows: int, seed: object, scenario: str = "none"
) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Return features, the old model's scores, and labels."""
    random = np.random.default_rng(seed)
    heavy, other = random.normal(size=(2, rows))
    if scenario == "mean":
        heavy = heavy + 1.0
    slope = -0.2 if scenario == "concept" else 1.2
    columns: dict[str, np.ndarray] = {
        "heavy": heavy,
        "second": 0.6 * heavy + 0.8 * other,
        "third": random.normal(size=rows),
        "skewed": random.lognormal(0, 0.8, rows),
        "uniform": random.uniform(0, 1, rows),
        "counted": random.poisson(3, rows).astype(float),
        "noise": random.normal(size=rows) + (1.0 if scenario == "noise_moves" else 0.0),
        "noise_skewed": random.lognormal(0, 0.5, rows),
    }
    codes = {}
    for name, levels in CATEGORIES.items():
        weights = 1 / np.arange(1, levels + 1)
        codes[name] = random.choice(levels, rows, p=weights / weights.sum())
    if scenario == "new_category":
        codes["kind"][random.random(rows) < 0.15] = 99

    def margin(weight: float) -> np.ndarray:
        return (
            -1.0
            + weight * columns["heavy"]
            - 0.8 * columns["second"]
            + 0.6 * columns["third"]
            + 0.6 * np.tanh(columns["skewed"] - 1)
            + 0.1 * (codes["kind"] % 8)
        )

    labels = (random.random(rows) < 1 / (1 + np.exp(-margin(slope)))).astype(float)
    scores = 1 / (1 + np.exp(-margin(1.2)))
    share = 0.30 if scenario == "missing" else 0.03
    columns["third"][random.random(rows) < share] = np.nan
    if scenario == "unit":
        columns["skewed"] *= 100
    if scenario == "null":
        columns["heavy"][:] = np.nan
    if scenario == "filled":
        columns["heavy"][random.random(rows) < 0.30] = 0.0
    names = {name: [f"{name}-{code}" for code in values] for name, values in codes.items()}
    if scenario == "renamed":
        names["kind"] = [name.upper() for name in names["kind"]]
    return pa.table(columns | names), scores, labels


def log_loss(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the loss of each row."""
    return -np.log(np.where(labels == 1, scores, 1 - scores))


def reference(
    rows: int = 20_000, seed: int = 0, kinds: Mapping[str, str] = KINDS
) -> ReferenceProfile:
    """Return the profile of a profile-out part of 28 days."""
    table, scores, labels = world(rows, seed)
    losses = log_loss(labels, scores)
    days = np.sort(np.random.default_rng(seed).integers(0, 28, rows)) + 15_000
    content = reference_profile(
        table,
        scores,
        losses,
        dict(kinds),
        IMPORTANCE,
        days,
        [(block, 1_000, float(losses.mean()), float(losses.std())) for block in range(4)],
    )
    return ReferenceProfile.model_validate(content)


def served(
    profile: ReferenceProfile, rows: int, seed: object, scenario: str = "none"
) -> DayProfile:
    """Return the profile of a day of requests."""
    table, scores, _ = world(rows, seed, scenario)
    return day_profile(table, scores, profile, part=f"{date(2013, 6, 3)}-{seed}")
