"""Logs of tasks in the store, so that they outlive the scheduler's pod.

Airflow's own way is the provider of a cloud: 66 MB and 58 packages, for one PUT and one GET that
`contract.store.client` knows already. Named by `[logging] logging_config_class`.
"""

import logging
import os
from pathlib import Path
from typing import Any

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

from contract.errors import PerennialError
from contract.store.client import Store

PREFIX = "airflow-logs"
FOLDER = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"

LOGGING_CONFIG = DEFAULT_LOGGING_CONFIG


class StoredLogs:
    """Airflow's protocol of remote logs: `upload` at a task's end, `read` for the UI."""

    processors: tuple[Any, ...] = ()

    def upload(self, path: os.PathLike[str] | str, ti: object = None) -> None:  # noqa: ARG002 - the protocol's
        """Put the log of one try; a log of the same name is written over, as it is longer now."""
        file = Path(os.environ[FOLDER]) / path
        try:
            if file.exists():
                Store.from_environment().put(_key(path), file.read_bytes(), "text/plain")
        except PerennialError as error:
            # A task must not fail for its log, which still lies in the pod.
            logging.getLogger(__name__).warning("The log %s was not stored: %s", path, error)

    def read(self, relative_path: str, ti: object) -> tuple[list[str], list[str] | None]:  # noqa: ARG002 - as above
        """Return where a log was found, and its text."""
        try:
            store = Store.from_environment()
            found = store.get_with_etag(_key(relative_path))
        except PerennialError as error:
            return [f"The store was asked for the log: {error}"], None
        if found is None:
            return [], None
        return [store.uri(_key(relative_path))], [found[0].decode(errors="replace")]


def _key(path: os.PathLike[str] | str) -> str:
    return f"{PREFIX}/{os.fspath(path)}"


REMOTE_TASK_LOG = StoredLogs()
