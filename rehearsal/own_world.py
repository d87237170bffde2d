"""Days of the user's own problem: drawn from its rows by weekday, or its landed history itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.arrays import Floats
from contract.errors import InvalidRequest
from contract.times import microseconds as since_1970
from methods.columns.targets import label_text
from methods.controller.days import ONE_DAY, Calendar
from methods.split.event_times import microseconds
from rehearsal.landed_run import OwnRows
from rehearsal.own_problem import KEY, KNOWN
from rehearsal.scenarios import CHANGE, FAULT_DAYS, OwnScenario, Pool
from rehearsal.truth import Truth, truth_of
from rehearsal.world import NEVER, Landing, Micros, WorldDay

WITHOUT_TIME_DAYS = 30
"""Days into which rows without a time are dealt: the rows of one day are so many of the whole."""
DAY_US = 86_400_000_000
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class _OwnDays:
    """What both kinds of world need: the rows by their day."""

    rows: OwnRows
    begin: date
    """Day 0."""
    seed: int

    def once(self) -> Mapping[str, pa.Table]:
        """Return nothing: joins are behind the prepared rows."""
        return {}

    @property
    def source(self) -> str:
        """The only source."""
        return self.rows.problem.main_source_name

    @cached_property
    def calendar(self) -> Calendar:
        """Days of the problem's time zone."""
        return Calendar(self.rows.problem.timezone)

    @cached_property
    def moments(self) -> Micros | None:
        """When each row happened, (n,); None: the problem has no time."""
        name = self.rows.schema.event_time
        return None if name is None else microseconds(self.rows.table[name])

    @cached_property
    def by_day(self) -> dict[date, np.ndarray]:
        """Positions of the rows of each landed day."""
        assert self.moments is not None
        first = self.calendar.day_of(datetime.fromtimestamp(self.moments.min() / 1e6, tz=UTC))
        last = self.calendar.day_of(datetime.fromtimestamp(self.moments.max() / 1e6, tz=UTC))
        days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
        index = self.calendar.positions(self.moments, days)
        order = np.argsort(index, kind="stable")
        cuts = np.searchsorted(index[order], np.arange(len(days) + 1))
        return {
            day: order[cuts[n] : cuts[n + 1]] for n, day in enumerate(days) if cuts[n] < cuts[n + 1]
        }

    def _shifted(self, positions: np.ndarray, moments: Micros) -> pa.Table:
        """Return the features of rows with other moments; times among them move along."""
        schema = self.rows.schema
        table = self.rows.table.take(pa.array(positions)).select(
            list(
                dict.fromkeys([*schema.names, *([schema.event_time] if schema.event_time else [])])
            )
        )
        if self.moments is None:
            return table
        by = moments - self.moments[positions]
        for place, name in enumerate(table.column_names):
            kind = table[name].type
            if pa.types.is_timestamp(kind):
                moved = pc.add(
                    pc.cast(pc.cast(table[name], pa.timestamp("us", kind.tz)), pa.int64()), by
                )
                table = table.set_column(
                    place, name, pc.cast(moved, pa.timestamp("us", kind.tz)).cast(kind)
                )
            elif pa.types.is_date32(kind):
                days = pc.add(
                    pc.cast(table[name], pa.int32()), pa.array((by // DAY_US).astype(np.int32))
                )
                table = table.set_column(place, name, pc.cast(days, kind))
        return table

    def _day(
        self, number: int, asked: pa.Table, moments: Micros, labels: list[object], known: Micros
    ) -> WorldDay:
        names = pa.array([f"{number}-{row}" for row in range(asked.num_rows)])
        asked = asked.append_column(KEY, names)
        target = pa.array(labels, self.rows.table[self.rows.schema.target].type)
        shown = np.where(known == NEVER, moments, known)
        landed = asked.append_column(self.rows.schema.target, target)
        landed = landed.append_column(KNOWN, pa.array(shown, MOMENT))
        return WorldDay(
            asked=asked,
            moments=moments,
            truth=labels,
            landings={self.source: Landing(landed, known)},
        )


@dataclass(frozen=True)
class DrawnDays(_OwnDays):
    """Each day is a landed one of the same weekday, with labels drawn anew; a scenario changes it."""

    scenario: OwnScenario

    @cached_property
    def truth(self) -> Truth:
        """Where labels are drawn from."""
        return truth_of(self.rows)

    @cached_property
    def pool(self) -> Pool:
        """The columns that scenarios change."""
        return pool_of(self.rows)

    @cached_property
    def base_rates(self) -> np.ndarray:
        """Mean probability of each class, or the mean value."""
        chances = self.truth.chances(self.rows.table)
        return np.asarray(chances.mean(axis=0))

    def day(self, number: int) -> WorldDay:
        """Return one day."""
        random = np.random.default_rng([self.seed, number + 100_000])
        positions, moments = self._drawn(number, random)
        if number in self.scenario.silent:
            positions, moments = positions[:0], moments[:0]
        table = self._shifted(positions, moments)
        if self.scenario.rows is not None and len(positions):
            table = self.scenario.rows(table, number, self.pool, random)
        labels, chance = self._labels(table, number, random)
        delay = self.scenario.delay_days
        late = self.rows.problem.labels.horizon.total_seconds() / 86_400 if delay is None else delay
        known = moments + np.int64(late * DAY_US)
        if self.scenario.labels_until is not None and number > self.scenario.labels_until:
            known = np.full(len(moments), NEVER)
        day = self._day(number, table, moments, labels, known)
        asked = day.asked
        if self.scenario.feed is not None and CHANGE <= number < CHANGE + FAULT_DAYS:
            asked = self.scenario.feed(asked, number, self.pool, random)
        return replace(day, asked=asked, chance=chance)

    def _drawn(self, number: int, random: np.random.Generator) -> tuple[np.ndarray, Micros]:
        """Return the positions and new moments of a day's rows, in their order of time."""
        date_of = self.begin + number * ONE_DAY
        start = since_1970(self.calendar.begin(date_of))
        if self.moments is None:
            count = max(1, self.rows.table.num_rows // WITHOUT_TIME_DAYS)
            moments = start + np.sort(random.integers(0, DAY_US - 1_000_000, count))
            return random.integers(0, self.rows.table.num_rows, count), moments
        days = [day for day in self.by_day if day.weekday() == date_of.weekday()]
        chosen = (days or list(self.by_day))[int(random.integers(len(days or self.by_day)))]
        positions = self.by_day[chosen]
        length = since_1970(self.calendar.end(date_of)) - start
        within = self.moments[positions] - since_1970(self.calendar.begin(chosen))
        moments = start + np.minimum(within, length - 1)
        order = np.argsort(moments, kind="stable")
        return positions[order], moments[order]

    def _labels(
        self, table: pa.Table, number: int, random: np.random.Generator
    ) -> tuple[list[object], Floats | None]:
        """Return drawn labels, and P(positive) where there are two classes."""
        if not table.num_rows:
            return [], None
        chances = self.truth.chances(table)
        if self.scenario.turn is not None:
            chances = self.scenario.turn(chances, table, number, self.pool)
        if self.scenario.noise and number >= CHANGE:
            by_chance = random.random(len(chances)) < self.scenario.noise
            chances = chances.copy()
            chances[by_chance] = self.base_rates
        labels = self.truth.draw(chances, random)
        contract = self.rows.model.contract
        if contract.task != "binary":
            return labels, None
        positive = [label_text(each) for each in contract.classes].index(
            label_text(contract.positive)
        )
        return labels, chances[:, positive]


@dataclass(frozen=True)
class LandedDays(_OwnDays):
    """The landed history itself: its rows on their own days, with their own labels."""

    def day(self, number: int) -> WorldDay:
        """Return one day; one that never landed has no rows."""
        none = np.empty(0, dtype=np.int64)
        positions = self.by_day.get(self.begin + number * ONE_DAY, none)
        assert self.moments is not None
        positions = positions[np.argsort(self.moments[positions], kind="stable")]
        moments = self.moments[positions]
        table = self._shifted(positions, moments)
        target = self.rows.table[self.rows.schema.target]
        labels = target.take(pa.array(positions)).to_pylist()
        horizon = np.int64(self.rows.problem.labels.horizon.total_seconds() * 1e6)
        return self._day(number, table, moments, labels, moments + horizon)


def landed_span(rows: OwnRows) -> tuple[date, date]:
    """Return the first and the last landed day.

    Raises:
        InvalidRequest: the problem has no time.
    """
    days = _OwnDays(rows, date.min, 0)
    if days.moments is None:
        sentence = (
            f"The main source of {rows.problem.name!r} has no event_time, so that its rows have no "
            "order of days; choose another scenario than history."
        )
        raise InvalidRequest(sentence)
    return min(days.by_day), max(days.by_day)


def pool_of(rows: OwnRows) -> Pool:
    """Return the columns that matter most to the model, and what is needed to change them."""
    by_importance = sorted(
        rows.reference.columns, key=lambda name: -rows.reference.columns[name].importance
    )
    roles = {column.name: column.role for column in rows.schema.columns}
    numbers = [name for name in by_importance if roles.get(name) == "number"]
    words = [name for name in by_importance if roles.get(name) == "category"]
    number = numbers[0] if numbers else None
    deviation = middle = 0.0
    if number is not None:
        column = pc.cast(rows.table[number], pa.float64())
        deviation = float(pc.stddev(column).as_py() or 0.0)
        middle = float(pc.quantile(column, 0.5)[0].as_py())
    level = None
    if words:
        counts = rows.table[words[0]].drop_null().value_counts().to_pylist()
        share = rows.table.num_rows / 5
        level = min(counts, key=lambda each: abs(each["counts"] - share))["values"]
    return Pool(
        number=number,
        deviation=deviation,
        middle=middle,
        category=words[0] if words else None,
        level=level,
        other=numbers[1] if len(numbers) > 1 else None,
    )
