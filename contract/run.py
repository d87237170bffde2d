"""What a run is about: its window, its reason and the champion it found, fixed once.

`window_end` is "now" for everything in the run: what was known, cool-downs, ages, maturity.
Nothing else calls the clock for a result.
"""

from datetime import date

from pydantic import AwareDatetime

from contract.artifacts import Document
from contract.champion import Champion
from contract.strict import Strict


class Replay(Strict):
    """What an earlier run found, to be used again without a search."""

    run: str
    """The run that found it."""
    leaderboard: Document
    plan: Document


class Run(Strict):
    """One run of a problem; the `problem` stage writes it and every later stage takes it."""

    name: str
    """The problem."""
    run_id: str
    window_start: AwareDatetime | None
    """Rows with an earlier event time are left out; None: all there are."""
    window_end: AwareDatetime
    """Only what was known then counts."""
    reason: str
    """manual, nightly, performance, benefit, drift, age, prior, or a person's own words."""
    force: bool
    """A new run without any cache."""
    salt: str
    """Of the hash that gives a row its part; the same in every run of a problem."""
    champion: Champion | None
    """Who served when the run began; None before the first deployment."""
    by: str | None = None
    """The login of the person who started the run; None: the clock, or monitoring."""
    replay: Replay | None = None
    """The champion's own plan, fitted anew; None: selection and tuning search."""
    onset: date | None = None
    """First day of the change that monitoring asked for the run about; None: it knows of none."""
