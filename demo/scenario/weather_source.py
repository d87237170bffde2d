"""Where the weather of the scenario lands: in a table of a real database, or as files."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.errors import InvalidRequest
from demo.scenario import postgres, problem_view
from perennial.local.extra_components import component_variables
from perennial.local.home import Home


@dataclass(frozen=True)
class WeatherSource:
    """The source that this machine allows."""

    home: Home
    """With the folders of problems that go with the source."""
    sentence: str
    table: Mapping[str, str]
    """The connection string under its name; empty where the weather lands as files."""


def choose_weather_source(home: Home) -> WeatherSource:
    """Return where the weather lands; make the database where its programs are installed."""
    if home.problems != home.project / "problems":
        why = f"PERENNIAL_PROBLEMS names {str(home.problems)!r}, which is used as it is"
        return WeatherSource(home, f"The weather lands as files: {why}.", {})
    home.prepare()
    try:
        version = postgres.prepare(home)
    except InvalidRequest as error:
        without_view = problem_view.remove(home)
        return WeatherSource(without_view, f"The weather lands as files: {error}.", {})
    sentence = f"The weather lands in a table of a PostgreSQL {version} that the platform keeps."
    table = {postgres.VARIABLE: component_variables(home)[postgres.VARIABLE]}
    return WeatherSource(problem_view.make(home), sentence, table)
