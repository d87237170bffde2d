"""The pump of the end-to-end tests, landed on the volume of a cluster by a pod."""

import inspect
from datetime import date

import pump


def land_program(first: date, days: int, *, turned: bool) -> str:
    """Return the program that lands so many days of readings."""
    loop = f"""
for number in range({days}):
    day = date({first.year}, {first.month}, {first.day}) + timedelta(days=number)
    land(Path("/landing"), day, turned={turned})
"""
    return inspect.getsource(pump) + loop
