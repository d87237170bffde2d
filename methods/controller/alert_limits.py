"""From when on a finding needs a person, as values: a part of the retrain controller's policy."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from contract.strict import Strict
from methods.drift.limits import Count

Period = Annotated[timedelta, Field(gt=timedelta(0))]


class AlertLimits(Strict):
    """When the owner is told, and how often."""

    remind_after: Period = timedelta(days=7)
    """Duration, > 0, after which a finding that lasts is told once more. Arbitrary: weekly is seen
    by whoever comes back from a holiday, daily is soon filtered."""
    lasting_days: Count = 7
    """Days in a row, >= 1, that a worse model, a drift or too few rows must last before a person is
    told: one verdict window, in which a retraining should have helped."""
    calm_days: Count = 2
    """Days in a row, >= 1, without a finding that lasts before it is over: the policy's
    `release_days`, so that one quiet day between two bad ones makes no second alert."""
    useless_challengers: Count = 3
    """Challengers in a row, >= 1, that were returned, or refused although monitoring had asked for
    them. Arbitrary: two may be chance."""
    decisions_read: Count = 28
    """Newest decisions, >= 1, that the findings are taken from: four weeks."""
    entries_read: Count = 60
    """Newest entries of the ledger, >= 1, that the findings are taken from: two a day of a month."""
    outbox_age: Period = timedelta(days=7)
    """Duration, > 0, after which a message that no channel took is dropped: the alert itself is
    still open, and is told again by its reminder."""
