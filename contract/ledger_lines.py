"""The ledger as lines for a person: repeats of one fault are one line.

Until there was the entry `cleared`, every blocked day of a fault had an entry of its own.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contract.store.ledger import LedgerEntry

# A day of the problem's time zone has 25 hours once a year.
LONGEST_DAY = timedelta(hours=25)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class LedgerLine:
    """An entry, and how often it was repeated on the days after it."""

    entry: LedgerEntry
    until: datetime
    """`at` of the last repeat; of the entry itself where there is none."""
    days: int = 1

    @property
    def reason(self) -> str:
        """The entry's reason, and over how many days it was repeated."""
        if self.days == 1:
            return self.entry.reason
        return f"{self.entry.reason} ({self.days} days, until {self.until:%Y-%m-%d})"


def is_repeat(sentence: str, other: str) -> bool:
    """Return True where two sentences differ in their numbers only.

    >>> is_repeat("'fare' is missing in 31% of the rows.", "'fare' is missing in 28% of the rows.")
    True
    """
    return _NUMBER.sub("0", sentence) == _NUMBER.sub("0", other)


def ledger_lines(entries: Iterable[LedgerEntry]) -> list[LedgerLine]:
    """Return entries, oldest first, with a fault's `blocked` entries of days in a row as one."""
    lines: list[LedgerLine] = []
    for entry in entries:
        last = lines[-1] if lines else None
        if (
            last is not None
            and last.entry.kind == entry.kind == "blocked"
            and is_repeat(last.entry.reason, entry.reason)
            and timedelta(0) <= entry.at - last.until <= LONGEST_DAY
        ):
            lines[-1] = replace(last, until=entry.at, days=last.days + 1)
        else:
            lines.append(LedgerLine(entry, entry.at))
    return lines
