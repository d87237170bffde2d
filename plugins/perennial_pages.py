"""Airflow's plugin: a tab *Report* on runs and tasks; *Problems* in the side bar and at the entrance.

Airflow loads plugins in every task's process too, so the web application behind the pages is
imported by the first request for one, which only the API server gets.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/perennial"
OF_RUN = f"{PREFIX}/report/{{DAG_ID}}?run_id={{RUN_ID}}"
OF_TASK = f"{PREFIX}/page/{{DAG_ID}}?run_id={{RUN_ID}}&task_id={{TASK_ID}}"


class PagesOnDemand:
    """The web application, made at the first request."""

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        await self._application(scope, receive, send)

    @cached_property
    def _application(self) -> "ASGIApp":
        from plugins.application import application  # noqa: PLC0415 - 0.2 CPU-s in every task

        return application()


class PerennialPages(AirflowPlugin):
    """What Airflow reads at its start."""

    name = "perennial"
    fastapi_apps = [  # noqa: RUF012 - Airflow declares it as an instance's
        {"app": PagesOnDemand(), "url_prefix": PREFIX, "name": "perennial"}
    ]
    external_views = [  # noqa: RUF012 - as above
        {
            "name": "Problems",
            "href": f"{PREFIX}/problems",
            "destination": "nav",
            "url_route": "problems",
            "nav_top_level": True,
        },
        {"name": "Report", "href": OF_RUN, "destination": "dag_run", "url_route": "report"},
        {
            "name": "Report",
            "href": OF_TASK,
            "destination": "task_instance",
            "url_route": "report-of-task",
        },
    ]
    react_apps = [  # noqa: RUF012 - as above
        {"name": "Perennial", "bundle_url": f"{PREFIX}/home.js", "destination": "dashboard"}
    ]
