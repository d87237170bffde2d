"""Sentences that recur, each written once: what was found, what was expected, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 20  # columns in one sentence; arbitrary, a wide table has too many to read


def no_such_column(
    owner: str,
    column: str,
    known: Iterable[str],
    *,
    named_by: str = "",
    advice: str = "",
) -> str:
    """Say that a table has no column of a name.

    Args:
        owner: what was looked at, as a sentence begins: `The source 'events'`.
        column: the name that is not there.
        known: the columns that are there.
        named_by: what names the column: `target.column`, `the problem file`.
        advice: a sentence; default: the nearest known column, or to correct the name.

    >>> no_such_column("The source 'a'", "prize", ["id", "price"], named_by="target.column")
    "The source 'a' has no column 'prize', which target.column names; it has 'id', 'price'. Did you mean 'price'?"
    >>> no_such_column("The data", "x", ["id"])
    "The data has no column 'x'; it has 'id'. Correct the name."
    """
    names = list(known)
    near = nearest(column, names)
    advice = advice or (f"Did you mean {near!r}?" if near else "Correct the name.")
    names_it = f", which {named_by} names" if named_by else ""
    more = " …" if len(names) > SHOWN else ""
    listed = (", ".join(map(repr, names[:SHOWN])) or "none") + more
    return f"{owner} has no column {column!r}{names_it}; it has {listed}. {advice}"


def no_such(what: str, name: str, known: Iterable[str], *, where: str = "") -> str:
    """Say that nothing of a kind has a name, and which name was probably meant.

    >>> no_such("problem", "flihts", ["flights", "wine"], where="in '/srv/problems'")
    "There is no problem 'flihts' in '/srv/problems'; did you mean 'flights'?"
    >>> no_such("stage", "deploying", [])
    "There is no stage 'deploying'; known are: none."
    """
    there = f" {where}" if where else ""
    return f"There is no {what} {name!r}{there}; {known_names(name, known)}"


def known_names(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return a sentence's end: the known name that was probably meant, else all of them.

    >>> known_names("buget", ["budget", "seed"]), known_names("x", ["budget", "seed"])
    ("did you mean 'budget'?", 'known are: budget, seed.')
    """
    names = list(known)
    near = nearest(name, names, cutoff=cutoff)
    return f"did you mean {near!r}?" if near else f"known are: {', '.join(names) or 'none'}."


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that is most like `name`, None where none is like it.

    `cutoff` is difflib's least ratio of similarity, in [0, 1].
    """
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), None)


def unexpected(value: object, expected: str, *, example: str = "") -> str:
    """Say that a value is not what its key holds; without a full stop, since a place may follow.

    >>> unexpected("long", "a duration", example="90s, 5m")
    "found 'long'; a duration is expected, such as 90s, 5m"
    """
    such = f", such as {example}" if example else ""
    return f"found {value!r}; {expected} is expected{such}"
