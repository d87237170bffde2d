"""Runs in Airflow's interpreter: whole DAGs on a SQLite of their own, with fake stages at the edge.

Prints, for each case, the tasks' states, tries and XComs as JSON behind the marker line.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.sdk.exceptions import ParamValidationError
from airflow.settings import Session
from airflow.utils.db import initdb
from sqlalchemy import select

initdb()
fake = Path(os.environ["PERENNIAL_PATH"])
folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
here = Path(os.environ["ENDINGS_FOLDER"])
endings = BundleDagBag(dag_folder=here, bundle_path=here, bundle_name="endings")
NOW = datetime(2013, 10, 1, tzinfo=UTC)


def run(dag: Any, plan: dict[str, Any], conf: dict[str, Any] | None = None) -> dict[str, Any]:
    (fake / "plan.json").write_text(json.dumps(plan))
    (fake / "asked.jsonl").write_text("")
    made = dag.test(logical_date=None, run_after=NOW, run_conf=conf or {})
    session = Session()
    values = session.scalars(select(XComModel).where(XComModel.run_id == made.run_id)).all()
    return {
        "state": str(made.state),
        "run_id": made.run_id,
        "tasks": {t.task_id: str(t.state) for t in made.get_task_instances(session=session)},
        "tries": {t.task_id: t.try_number for t in made.get_task_instances(session=session)},
        "xcom": {f"{v.task_id}.{v.key}": XComModel.deserialize_value(v) for v in values},
        "asked": [json.loads(line) for line in (fake / "asked.jsonl").read_text().splitlines()],
    }


def runs_of(dag_id: str) -> dict[str, Any]:
    found = Session().scalars(select(DagRun).where(DagRun.dag_id == dag_id)).all()
    return {made.run_id: made.conf for made in found}


def events() -> list[list[Any]]:
    found = Session().execute(
        select(AssetModel.name, AssetEvent.extra).join(
            AssetEvent, AssetEvent.asset_id == AssetModel.id
        )
    )
    return [[name, extra] for name, extra in found]


retrain = {
    **(
        served := {
            "problem": {
                "result": {"facts": {"window_end": "2013-10-01T00:00:00Z", "champion": "c"}}
            }
        }
    ),
    "monitoring": {
        "result": {
            "outcome": "retrain",
            "facts": {
                "reason": "drift",
                "key": "drift__2013-09-30",
                "onset": "2013-09-27",
                "replay": True,
            },
        }
    },
}
accepted = {"evaluation": {"result": {"outcome": "accepted"}}}
lifecycle = bag.dags["flights__lifecycle"]
monitoring = bag.dags["flights__monitoring"]
report = {
    "accepted": run(lifecycle, accepted, {"budget": "60s", "set": {"models.seed": 7}}),
    "refused": run(lifecycle, {"evaluation": {"result": {"outcome": "refused"}}}),
    "exploration_fails": run(lifecycle, accepted | {"exploration": {"exit": 3}}),
    "quiet": run(monitoring, retrain | {"monitoring": {"result": {"outcome": "ok"}}}),
    "unserved": run(monitoring, {}),
    "blocked": run(
        monitoring, served | {"monitoring": {"result": {"outcome": "blocked_data_quality"}}}
    ),
    "retrain": run(monitoring, retrain),
    "again": run(monitoring, retrain),
    "off": run(bag.dags["quiet__monitoring"], retrain),
    "alerts": run(bag.dags["flights__alerts"], {}, {"test": True}),
    "lifecycle_runs": runs_of("flights__lifecycle"),
    "events": events(),
    "endings": run(endings.dags["endings"], json.loads(os.environ["ENDINGS_PLAN"])),
    "invalid": run(bag.dags["problems_invalid"], {}),
}
try:
    run(lifecycle, {}, {"window_end": "2013-13-01T00:00:00Z"})
except ParamValidationError as error:
    report["bad_moment"] = f"{type(error).__name__}: {error}"
sys.stdout.write("\nREPORT " + json.dumps(report) + "\n")
