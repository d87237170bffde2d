import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from demo.flights import Airport

NINE = datetime(2013, 1, 4, 9, tzinfo=UTC)

pytestmark = pytest.mark.slow  # the package is parsed once a worker


@pytest.fixture(scope="module")
def airport(tmp_path_factory: pytest.TempPathFactory) -> Airport:
    return Airport(tmp_path_factory.mktemp("cache"))


def rows(landing: Path, day: str, source: str = "departures") -> list[dict[str, str]]:
    with gzip.open(landing / "flights" / source / f"{day}.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def test_nothing_from_after_the_end_is_visible(airport: Airport, tmp_path: Path) -> None:
    airport.land(tmp_path, NINE)

    names = sorted(path.name for path in (tmp_path / "flights" / "departures").iterdir())
    assert names == ["2013-01-01.csv.gz", "2013-01-02.csv.gz", "2013-01-03.csv.gz"]
    assert {row["landed_at"] for row in rows(tmp_path, "2013-01-03")} == {"2013-01-04T08:00:00Z"}


def test_landing_again_brings_only_what_is_new(airport: Airport, tmp_path: Path) -> None:
    airport.land(tmp_path, NINE)
    before = (tmp_path / "flights/departures/2013-01-02.csv.gz").read_bytes()

    new = airport.land(tmp_path, NINE + timedelta(days=1))

    assert new == 2
    assert (tmp_path / "flights/departures/2013-01-02.csv.gz").read_bytes() == before


def test_a_repaired_day_is_delivered_again_with_a_later_time(
    airport: Airport, tmp_path: Path
) -> None:
    second = date(2013, 1, 2)
    airport.land(tmp_path, NINE, "unit", (second, second))
    wrong = rows(tmp_path, "2013-01-02")[0]

    airport.land(tmp_path, NINE + timedelta(days=1))

    right = rows(tmp_path, "2013-01-02")[0]
    assert float(wrong["distance"]) == pytest.approx(float(right["distance"]) * 1.609344)
    assert right["landed_at"] == "2013-01-05T09:00:00Z"
    assert float(rows(tmp_path, "2013-01-01")[0]["distance"]) < 6000


def test_a_gone_column_is_empty_in_the_weather(airport: Airport, tmp_path: Path) -> None:
    first = date(2013, 1, 1)
    airport.land(tmp_path, NINE, "gone", (first, first))

    assert {row["temp"] for row in rows(tmp_path, "2013-01-01", "weather")} == {""}


def test_a_request_holds_nothing_of_the_outcome(airport: Airport) -> None:
    request = airport.requests(date(2013, 1, 2))[0]

    assert not {"late", "arr_delay", "dep_delay", "air_time"} & request.keys()
    assert request["temp"] is not None


def test_a_faulty_request_carries_the_fault(airport: Airport) -> None:
    day = date(2013, 1, 2)
    plain, metres, gone = (airport.requests(day, fault)[0] for fault in (None, "unit", "gone"))

    assert metres["distance"] == pytest.approx(plain["distance"] * 1.609344)
    assert gone["temp"] is None


def test_a_flight_has_a_name_of_its_own(airport: Airport, tmp_path: Path) -> None:
    airport.land(tmp_path, NINE)

    names = [row["flight_id"] for day in (1, 2, 3) for row in rows(tmp_path, f"2013-01-0{day}")]
    assert len(names) == len(set(names))
