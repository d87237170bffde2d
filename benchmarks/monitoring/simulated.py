"""The rows of made-up worlds: quiet years, changed concepts and base rates, steps, noise, late labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.monitoring.cells import (
    Cell,
    days_of,
    mean_interval,
    read_days,
    seeds_of,
    simulate,
)
from benchmarks.monitoring.worlds import BEGIN, CHANGE, SCENARIOS, MadeUpWorld, problem
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.simulation import RehearsalPlan

RECOVERED = 0.5
"""Share of the added loss that the served model must have made up."""
CALM_DAYS = 3
"""Days in a row that must be recovered: one day's loss has the noise of its labels."""


@dataclass(frozen=True)
class Stretch:
    """One kind of cell."""

    part: str
    scenario: str
    rows: int
    days: int
    seeds: int
    history: int = 60
    delay_days: float = 1.25

    @property
    def name(self) -> str:
        """Of its cells."""
        return f"{self.scenario}-{self.rows}-{self.days}-{self.delay_days:g}"

    def cells(self) -> list[Cell]:
        """Return a cell a seed."""
        return [Cell(self.part, self.name, seed, self._run(seed)) for seed in range(self.seeds)]

    def _run(self, seed: int) -> Any:  # noqa: ANN401 - a function of a folder
        def run(folder: Path) -> Mapping[str, Any]:
            world = MadeUpWorld(
                SCENARIOS[self.scenario], self.rows, seed, delay_hours=24 * self.delay_days
            )
            plan = RehearsalPlan(
                problem=problem(), begin=BEGIN, days=self.days, history=self.history
            )
            return days_of(simulate(folder, plan, world))

        return run


STRETCHES: Mapping[str, Sequence[Stretch]] = {
    "stationary": (
        Stretch("stationary", "stationary", 200, 365, 20, history=120),
        Stretch("stationary", "stationary", 500, 365, 20, history=120),
        Stretch("stationary", "stationary", 2_000, 365, 5),
        Stretch("stationary", "stationary", 20_000, 60, 1, history=28),
    ),
    "concept": (Stretch("concept", "concept", 1_000, 45, 5),),
    "prior": (Stretch("prior", "prior", 1_000, 45, 5),),
    "step": (Stretch("step", "step", 2_000, 24, 5),),
    "unfixable": (Stretch("unfixable", "unfixable", 500, 365, 3),),
    "segment": (Stretch("segment", "segment", 1_000, 45, 3),),
    "trend": (Stretch("trend", "trend", 500, 110, 3),),
    "season": (Stretch("season", "season", 500, 365, 3),),
    "stop": (Stretch("stop", "stop-concept", 500, 60, 3),),
    "outage": (Stretch("outage", "outage", 500, 45, 3),),
    "late": tuple(
        Stretch("late", "concept", 500, int(CHANGE + days + 35), 3, int(60 + days), days)
        for days in (1.25, 7.0, 30.0, 90.0)
    ),
}


def recovered_after(days: Sequence[RehearsedDay], change: int = CHANGE) -> int | None:
    """Return days from the change to the first of three recovered ones; None: never.

    A model's excess is its loss above that of the true probabilities. The change adds what the
    first model's excess is above its mean before; half of that must be gone.
    """
    quiet = [each for each in days if each.number < change]
    usual = sum(_excess(each, each.first_loss) for each in quiet) / max(1, len(quiet))
    after = [each for each in days if each.number >= change and each.rows]
    good = [
        _excess(each, each.loss)
        <= usual + (1 - RECOVERED) * max(0.0, _excess(each, each.first_loss) - usual)
        and each.loss != each.first_loss
        for each in after
    ]
    for index in range(len(good) - CALM_DAYS + 1):
        if all(good[index : index + CALM_DAYS]):
            return after[index].number - change
    return None


def first_verdict(days: Sequence[RehearsedDay], change: int = CHANGE) -> int | None:
    """Return days from the change to the end of the first that was not called ok; None: never."""
    return next(
        (
            each.number - change + 1
            for each in days
            if each.number >= change and each.verdict in {"watch", "warn", "retrain"}
        ),
        None,
    )


def _excess(day: RehearsedDay, loss: float | None) -> float:
    return (loss or 0.0) - (day.best_loss or 0.0)


HEADS = (
    "world",
    "rows a day",
    "days",
    "labels late by",
    "seeds",
    "retrains asked",
    "promoted",
    "refused",
    "days `warn`, %",
    "days blocked",
    "alerts raised",
    "first verdict, days",
    "half recovered, days",
    "never",
)


def table_row(stretch: Stretch, found: Sequence[Mapping[str, Any]]) -> list[object]:
    """Return a stretch's line of the table."""
    runs = [read_days(each) for each in found]
    asked = [[each.run for each in run if each.run] for run in runs]
    is_changing = stretch.scenario in {"concept", "prior", "segment", "stop-concept"}
    back = [recovered_after(run) for run in runs] if is_changing else []
    late = stretch.delay_days if stretch.part == "late" else 0
    seen = [first_verdict(run) for run in runs]
    return [
        stretch.scenario,
        stretch.rows,
        stretch.days,
        str(timedelta(days=stretch.delay_days)).removesuffix(":00"),
        seeds_of(found, stretch.seeds),
        mean_interval([len(run) for run in asked]),
        mean_interval([sum(each.outcome == "deployed" for each in run) for run in asked]),
        mean_interval([sum(each.outcome != "deployed" for each in run) for run in asked]),
        mean_interval([100 * _share(run, "warn") for run in runs]),
        mean_interval([sum(each.verdict == "blocked_data_quality" for each in r) for r in runs]),
        mean_interval([_raised(run) for run in runs]),
        mean_interval([each - late for each in seen if each is not None]),
        mean_interval([each - late for each in back if each is not None]) if is_changing else "",
        f"{sum(each is None for each in back)} of {len(back)}" if is_changing else "",
    ]


def _raised(days: Sequence[RehearsedDay]) -> int:
    return sum(message.startswith("raised") for day in days for message in day.told)


def _share(days: Sequence[RehearsedDay], verdict: str) -> float:
    return sum(each.verdict == verdict for each in days) / max(1, len(days))
