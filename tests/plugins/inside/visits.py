"""Runs in Airflow's interpreter: one lifecycle with fake stages, then requests to the API server.

Prints status, headers and body of each request as JSON behind the marker line.
"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.utils.db import initdb
from fastapi.testclient import TestClient

initdb()
loaded_early = "plugins.application" in sys.modules
folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
(Path(os.environ["PERENNIAL_PATH"]) / "plan.json").write_text(os.environ["PLAN"])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
made = bag.dags["flights__lifecycle"].test(
    logical_date=None, run_after=datetime(2013, 10, 1, tzinfo=UTC)
)

client = TestClient(create_app(apps="core"))
run = quote(made.run_id)
ADDRESSES = {
    "problems": "/perennial/problems",
    "home": "/perennial/home.js",
    "report": f"/perennial/report/flights__lifecycle?run_id={run}",
    "page": f"/perennial/page/flights__lifecycle?run_id={run}&task_id=exploration",
    "changed": f"/perennial/page/flights__lifecycle?run_id={run}&task_id=split",
    "damaged": f"/perennial/page/flights__lifecycle?run_id={run}&task_id=validation",
    "failed": f"/perennial/page/flights__lifecycle?run_id={run}&task_id=selection",
    "absent": f"/perennial/page/flights__lifecycle?run_id={run}&task_id=nothing",
    "day": "/perennial/day/flights__monitoring/2013-05-02",
    "no_day": "/perennial/day/flights__monitoring/2014-01-01",
    "docs": "/perennial/docs",
    "openapi": "/perennial/openapi.json",
}


def get(role: str | None, address: str) -> dict[str, object]:
    headers = {}
    if role != "nobody logged in":
        user = SimpleAuthManagerUser(username="someone", role=role)
        headers = {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"}
    answer = client.get(address, headers=headers, follow_redirects=False)
    return {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.text}


report = {
    role or "no role": {name: get(role, address) for name, address in ADDRESSES.items()}
    for role in ("nobody logged in", None, "viewer", "admin")
}
report["plugins"] = client.get(
    "/api/v2/plugins",
    headers={
        "Authorization": "Bearer "
        + get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="a", role="admin"))
    },
).json()
report["loaded_early"] = loaded_early
sys.stdout.write("\nREPORT " + json.dumps(report) + "\n")
