"""Late labels joined to the rows that were served, as of any moment.

Both sides are in the order of a hash of the key, so the join is a search. A day's first 50,000 lines
are looked at; where labels are rare, so are its others, of which only the labelled ones are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.times import microseconds
from methods.controller.days import Micros
from tasks.monitoring.evidence.day_count import ROWLESS, LogLines
from tasks.monitoring.evidence.label_versions import LabelVersions, first_known
from tasks.monitoring.evidence.lateness import Lateness, first_labels, lateness_of
from tasks.monitoring.evidence.log import LINES, ServedDay

ENOUGH = 2_000  # labelled lines of a day: the loss is then known to 2 % of its own size a day
_Positions = NDArray[np.int64]


@dataclass(frozen=True)
class _Matches:
    """The versions of the labels of one day's lines, in the order in which they were known."""

    line: _Positions
    version: _Positions
    known: Micros


class JoinedLabels:
    """The labels of the served lines, as of any moment."""

    def __init__(
        self, days: Sequence[ServedDay], versions: LabelVersions, otherwise: Lateness
    ) -> None:
        """Join once.

        Args:
            days: whose lines are looked at.
            versions: of their labels.
            otherwise: how late labels come where they do not show it themselves.
        """
        self.versions = versions
        self._otherwise = otherwise
        self._events, self._known = first_labels(versions)
        encoded = pc.dictionary_encode(versions.labels).combine_chunks()
        self._words = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
        self._codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        self._first_known = first_known(versions)
        self._at: datetime | None = None
        self._of: dict[date, list[str | None]] = {}
        self._matches = {day.day: self._match(day) for day in days}

    def of(self, day: ServedDay, at: datetime) -> list[str | None]:
        """Return the label of each line of `day`, as it was known at `at`; None: not yet."""
        if at != self._at:
            self._at, self._of = at, {}
        if day.day not in self._of:
            self._of[day.day] = self._labels_of(day, at)
        return self._of[day.day]

    def _labels_of(self, day: ServedDay, at: datetime) -> list[str | None]:
        lines, versions = self.newest(day, at)
        found = np.full(len(day.lines.keys), -1, np.int64)
        found[lines] = self._codes[versions]
        labels: list[str | None] = self._words[found].tolist()
        return labels

    def newest(self, day: ServedDay, at: datetime) -> tuple[_Positions, _Positions]:
        """Return the lines of `day` with a version known at `at`, and the newest version of each."""
        matches = self._matches[day.day]
        known = matches.known <= microseconds(at)
        # The newest version is the last one of its line; np.unique on the reverse finds it first.
        lines, newest = np.unique(matches.line[known][::-1], return_index=True)
        return lines, matches.version[known][::-1][newest]

    def lateness(self, at: datetime) -> Lateness:
        """Return how late labels come, as the labels known at `at` show it."""
        now = None if self.versions.is_relative else at
        return lateness_of(self._events, self._known, now, self._otherwise)

    def words(self, versions: _Positions) -> list[str | None]:
        """Return the labels of versions."""
        words: list[str | None] = self._words[self._codes[versions]].tolist()
        return words

    def unmatched(self, first: datetime, at: datetime) -> int:
        """Return how many labels of events since `first`, known at `at`, name no line."""
        chosen = (self._events >= microseconds(first)) & (self._known <= microseconds(at))
        matched = sum(len(np.unique(each.line)) for each in self._matches.values())
        return max(0, int(chosen.sum()) - matched)

    def arrivals(self, day: ServedDay) -> Micros:
        """Return when the first label of each labelled line of `day` was known, (n,)."""
        return self._arrived(day.day)

    def contradictions(self, day: ServedDay, at: datetime) -> int:
        """Return how many lines of `day` have two labels that were known at the same moment."""
        matches = self._matches[day.day]
        chosen = (matches.known <= microseconds(at)) & (self._codes[matches.version] >= 0)
        line, known = matches.line[chosen], matches.known[chosen]
        code = self._codes[matches.version[chosen]]
        order = np.lexsort((code, known, line))
        line, known, code = line[order], known[order], code[order]
        differs = (line[1:] == line[:-1]) & (known[1:] == known[:-1]) & (code[1:] != code[:-1])
        return len(np.unique(line[1:][differs]))

    def new_between(self, since: datetime, at: datetime) -> int | None:
        """Return how many labels became known after `since` and by `at`.

        None where the source has no times, so that it cannot be known.
        """
        known = self._first_known
        if self.versions.is_relative:
            arrived = [self._arrived(day) for day in self._matches]
            known = np.sort(np.concatenate([np.empty(0, np.int64), *arrived]))
        if known is None:
            return None
        limits = [microseconds(since), microseconds(at)]
        low, high = np.searchsorted(known, limits, side="right")
        return round(int(high - low) / self.versions.share)

    def _arrived(self, day: date) -> Micros:
        matches = self._matches[day]
        has_label = self._codes[matches.version] >= 0
        _, first = np.unique(matches.line[has_label], return_index=True)
        known: Micros = matches.known[has_label][first]
        return known

    def _match(self, day: ServedDay) -> _Matches:
        """Join a day; read more of its lines where few of the first ones are labelled."""
        lines = self._within(day.lines)
        matches = self._search(lines)
        labelled, number = len(np.unique(matches.line)), 1
        while 0 < labelled < ENOUGH and number * LINES < day.rows:
            more = self._within(day.kept.lines(number))
            matched = np.unique(self._search(more).line)
            labelled, number = labelled + len(matched), number + 1
            lines = _joined(lines, more, matched)
            matches = self._search(lines)
        day.look_at(lines)
        return matches

    def _within(self, lines: LogLines) -> LogLines:
        """Leave out the lines whose labels were too many to be held."""
        if self.versions.share >= 1:
            return lines
        inside = lines.keys <= np.uint64(self.versions.limit)
        chosen = np.flatnonzero(inside)
        if inside[: len(chosen)].all():
            return _taken(lines, chosen, looked_at=len(chosen))
        # In the order of another key than the labels': the sample's rows must stay in front.
        return _taken(lines, np.arange(len(inside)), looked_at=len(chosen))

    def _search(self, lines: LogLines) -> _Matches:
        keys = self.versions.keys
        low = np.searchsorted(keys, lines.keys, side="left")
        high = np.searchsorted(keys, lines.keys, side="right")
        counts = np.where(lines.keys == ROWLESS, 0, high - low)
        line = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
        version = np.repeat(low, counts) + within
        known = self.versions.known[version]
        if self.versions.is_relative:
            known = known + (lines.moment - lines.served_at)[line]
        order = np.argsort(known, kind="stable")
        return _Matches(line[order], version[order], known[order])


def _taken(lines: LogLines, chosen: _Positions, looked_at: int) -> LogLines:
    return LogLines(
        moment=lines.moment[chosen],
        served_at=lines.served_at[chosen],
        scores=lines.scores[chosen],
        keys=lines.keys[chosen],
        looked_at=looked_at,
    )


def _joined(lines: LogLines, more: LogLines, matched: _Positions) -> LogLines:
    """Add those of `more` that have a label; all of them were looked at."""
    added = _taken(more, matched, looked_at=more.looked_at)
    return LogLines(
        moment=np.concatenate([lines.moment, added.moment]),
        served_at=np.concatenate([lines.served_at, added.served_at]),
        scores=np.concatenate([lines.scores, added.scores]),
        keys=np.concatenate([lines.keys, added.keys]),
        looked_at=lines.looked_at + more.looked_at,
    )
