"""The outside world, by hand.

python -m demo flights --until 2013-06-01T09:00:00Z --to LANDING [--weather-in WEATHER_DSN]
python -m demo requests --day 2013-06-01 --to rows.json
python -m demo wine --to LANDING
"""

import argparse
import json
import os
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from contract.errors import InvalidRequest, PerennialError


def main(argv: list[str]) -> int:
    """Land data or write requests; print one JSON object that says how much."""
    arguments = _parser().parse_args(argv)
    try:
        result = _do(arguments)
    except PerennialError as error:
        sys.stderr.write(f"demo: {error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _do(arguments: argparse.Namespace) -> dict[str, object]:
    if arguments.what in {"wine", "hotel"}:
        from demo.tables import land  # noqa: PLC0415 - pandas is not needed by the flights

        return {"path": str(land(arguments.what, arguments.to))}
    from demo.flights import Airport, write_requests  # noqa: PLC0415 - the same

    dsn = required(arguments.weather_in) if getattr(arguments, "weather_in", None) else None
    airport = Airport(arguments.cache)
    if arguments.what == "requests":
        return {"rows": write_requests(airport, arguments.day, arguments.to, arguments.fault)}
    faulty = (arguments.faulty_from, arguments.faulty_to) if arguments.faulty_from else None
    if dsn is None:
        return {
            "files": airport.land(arguments.to, arguments.until, arguments.fault, faulty),
            "rows": 0,
        }
    from demo.weather import WeatherTable  # noqa: PLC0415 - the same

    files = airport.land(arguments.to, arguments.until, arguments.fault, faulty, ["departures"])
    with closing(WeatherTable(dsn)) as table:
        rows = airport.land_weather(table, arguments.until, arguments.fault, faulty)
    return {"files": files, "rows": rows}


def required(name: str) -> str:
    """Return the connection string that stands in the environment under `name`.

    Raises:
        InvalidRequest: it is not set.
    """
    value = os.environ.get(name)
    if not value:
        sentence = f"{name} is not set in the environment; a connection string is expected there."
        raise InvalidRequest(sentence)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The outside world.")
    what = parser.add_subparsers(dest="what", required=True)
    for name in ("flights", "requests", "wine", "hotel"):
        command = what.add_parser(name)
        command.add_argument("--to", type=Path, required=True, help="a folder, or a file of rows")
        if name in {"wine", "hotel"}:
            continue
        command.add_argument("--cache", type=Path, default=Path(".perennial/cache"))
        command.add_argument("--fault", choices=("unit", "gone"))
        if name == "requests":
            command.add_argument("--day", type=date.fromisoformat, required=True)
        else:
            command.add_argument("--until", type=_moment, required=True)
            command.add_argument(
                "--weather-in", metavar="VARIABLE", help="holds the connection string of a database"
            )
            command.add_argument("--faulty-from", type=date.fromisoformat)
            command.add_argument("--faulty-to", type=date.fromisoformat)
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
