"""The airport's weather desk, that keeps its observations in a table of a PostgreSQL database."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
from adbc_driver_postgresql import dbapi

# The types that the same columns have in the landed files, so that one may follow the other.
TABLE = """
create table if not exists weather (
    origin text not null, observed_at timestamptz not null,
    temp double precision, dewp double precision, humid double precision,
    wind_dir bigint, wind_speed double precision, wind_gust double precision,
    precip double precision, pressure double precision, visib double precision,
    landed_at timestamptz not null,
    primary key (origin, observed_at)
)
"""
DAYS = "create table if not exists landed_days (day date primary key, is_faulty boolean not null)"
MOMENT = pa.timestamp("us", tz="UTC")
COLUMNS = pa.schema(
    {
        "origin": pa.string(),
        "observed_at": MOMENT,
        **dict.fromkeys(("temp", "dewp", "humid"), pa.float64()),
        "wind_dir": pa.int64(),
        **dict.fromkeys(("wind_speed", "wind_gust", "precip"), pa.float64()),
        **dict.fromkeys(("pressure", "visib"), pa.float64()),
        "landed_at": MOMENT,
    }
)


class WeatherTable:
    """The table, and which days of it have landed."""

    def __init__(self, dsn: str) -> None:
        self._connection: Any = dbapi.connect(dsn)  # ADBC ships no types
        self._execute(TABLE)
        self._execute(DAYS)
        self._connection.commit()

    def close(self) -> None:
        """Close the connection; what was not committed did not happen."""
        self._connection.close()

    def landed(self) -> dict[date, bool]:
        """Return the days that have landed, and whether one carries a fault."""
        return dict(self._execute("select day, is_faulty from landed_days"))

    def land(self, day: date, rows: pa.Table, *, is_faulty: bool) -> int:
        """Replace the rows of a day, in one transaction."""
        start = datetime.combine(day, time(), tzinfo=UTC)
        within = "observed_at >= $1 and observed_at < $2"
        self._execute(f"delete from weather where {within}", start, start + timedelta(days=1))  # noqa: S608 - ours
        placeholders = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
        with self._connection.cursor() as cursor:
            # Not ADBC's own ingest: that ends the transaction.
            cursor.executemany(f"insert into weather values ({placeholders})", rows.cast(COLUMNS))  # noqa: S608 - ours
        self._execute("delete from landed_days where day = $1", day)
        self._execute("insert into landed_days values ($1, $2)", day, is_faulty)
        self._connection.commit()
        return int(rows.num_rows)

    def _execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if statement.startswith("select") else []
