"""The web application behind the tabs. Airflow protects no plugin by itself: each route says who may read it.

A stage's page may hold a foreign report with scripts of its own, so it is served sandboxed: its
origin is opaque, it loads nothing, and it can call nothing as the reader. Pages made here hold no
script; they are not sandboxed, since a link out of a sandbox would not carry the login.

The imports from Airflow's API server are not its public interface: `tests/plugins` holds them.
"""

from datetime import date
from pathlib import Path
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    requires_access_dag,
    requires_access_view,
)
from fastapi import Depends, FastAPI, Query
from fastapi.responses import HTMLResponse, Response

from plugins.problems import problems_page
from plugins.reports import day_page, report_page, stage_page

OURS = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
FOREIGN = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; font-src data:"
)

HOME = Path(__file__).with_name("home.js")

RunId = Annotated[str, Query()]
TaskId = Annotated[str, Query()]


def application() -> FastAPI:
    """Make the application; nothing of it can be read without a login."""
    app = FastAPI(
        title="Perennial",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    )
    may_read_runs = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
    may_read_values = Depends(requires_access_dag("GET", DagAccessEntity.XCOM))

    @app.get("/problems")
    def problems(user: GetUserDep) -> HTMLResponse:
        readable = get_auth_manager().get_authorized_dag_ids(user=user)
        return _response(problems_page(readable), OURS)

    @app.get("/home.js")
    def home() -> Response:
        return Response(HOME.read_bytes(), media_type="text/javascript")

    @app.get("/report/{dag_id}", dependencies=[may_read_runs, may_read_values])
    def report(dag_id: str, run_id: RunId) -> HTMLResponse:
        return _response(report_page(dag_id, run_id), OURS)

    @app.get("/page/{dag_id}", dependencies=[may_read_runs, may_read_values])
    def page(dag_id: str, run_id: RunId, task_id: TaskId) -> HTMLResponse:
        exists, html = stage_page(dag_id, run_id, task_id)
        return _response(html, FOREIGN if exists else OURS, 200 if exists else 404)

    @app.get("/day/{dag_id}/{day}", dependencies=[may_read_runs, may_read_values])
    def day(dag_id: str, day: date) -> HTMLResponse:
        exists, html = day_page(dag_id.rpartition("__")[0], day)
        return _response(html, OURS, 200 if exists else 404)

    return app


def _response(html: str, policy: str, status: int = 200) -> HTMLResponse:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }
    return HTMLResponse(html, status_code=status, headers=headers)
