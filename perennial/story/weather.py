"""Where the weather of the story lands: in a table of a real database, or as files."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.errors import AskedWrongly
from perennial.local import database, view
from perennial.local.home import Home


@dataclass(frozen=True)
class Weather:
    """What was found at hand."""

    home: Home
    """With the folder of problems that goes with it."""
    sentence: str
    table: Mapping[str, str]
    """The connection string under its name; empty where the weather lands as files."""


def find_weather(home: Home) -> Weather:
    """Return where the weather lands; make the database where its programs are at hand."""
    if home.problems not in {home.view, home.project / "problems"}:
        why = f"PERENNIAL_PROBLEMS names {str(home.problems)!r}, which is used as it is"
        return Weather(home, f"The weather lands as files: {why}.", {})
    home.prepare()
    try:
        version = database.prepare(home)
    except AskedWrongly as error:
        return Weather(view.remove(home), f"The weather lands as files: {error}.", {})
    table = database.variables(home)
    sentence = f"The weather lands in a table of a PostgreSQL {version} that the platform keeps."
    return Weather(view.make(home), sentence, table)
