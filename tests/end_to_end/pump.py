"""A pump whose failures follow a rule that one day turns round: a world that can drift."""

import csv
import gzip
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROWS_A_DAY = 150
PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: pump
question: Will this pump fail within the day?
owner: works
target: { column: failed, positive: "yes", labels: { from: readings, on: [reading], horizon: 1d } }
source:
  readings:
    kind: files
    path: ${LANDING}/pump/*.csv.gz
    key: [reading]
    event_time: at
    known_at: landed_at
    cursor: landed_at
features: { drop: [landed_at] }
models: { budget: 10s, candidates: [linear, boosting] }
gates: { latency_p99: 100ms }
monitoring: { verdict_window: 3d }
retraining: { cooldown: 2d, min_new_labels: { rows: 200, share: 1% } }
"""


def readings(day: date, *, turned: bool) -> list[dict[str, Any]]:
    """Return the day's rows with their outcome; `turned`: the rule holds the other way round."""
    source = random.Random(day.toordinal())
    rows = []
    for number in range(ROWS_A_DAY):
        heat, vibration = source.gauss(60, 8), source.gauss(3, 1)
        site = source.choice(["north", "south", "west"])
        risk = (heat - 60) / 8 + (vibration - 3) + (0.5 if site == "west" else 0.0)
        noisy = risk + source.gauss(0, 0.7)
        failed = noisy > 0.4 if not turned else noisy < -0.4
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=9 * number)
        rows.append(
            {
                "reading": f"{day}-{number}",
                "at": moment.isoformat(),
                "heat": round(heat, 2),
                "vibration": round(vibration, 3),
                "site": site,
                "failed": "yes" if failed else "no",
                "landed_at": (moment.replace(hour=3, minute=0) + timedelta(days=1)).isoformat(),
            }
        )
    return rows


def land(landing: Path, day: date, *, turned: bool) -> None:
    """Write the file of one day."""
    path = landing / "pump" / f"{day}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = readings(day, turned=turned)
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def requests(day: date, *, turned: bool) -> list[dict[str, Any]]:
    """Return what is asked on that day: the rows without what is known later."""
    later = {"failed", "landed_at"}
    rows = readings(day, turned=turned)
    return [{name: row[name] for name in row if name not in later} for row in rows]
