"""Loads what every task imports, before the scheduler and the DAG processor fork.

Airflow loads plugins at their start, and each task and each parse is a fork of them: 0.1 CPU-s a
step less for the problem's model, 0.05 for the branch, 0.3 for monitoring's trigger.
A new version of these modules is therefore seen after a restart, as Airflow's own.

Where stages are pods, the scheduler's tasks need the Kubernetes operator too, and its workers the
store, for the tasks' logs: 0.8 CPU-s and 75 MB that each task would pay before it requests its pod,
and 30 MB of each worker.

What is there by then is collected once before the forks, and frozen in the scheduler when its first
run begins (the executor has unfrozen it): a full collection writes to every object, and so copies
every page that the executor's idle workers share with the scheduler.
"""

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import airflow.providers.standard.decorators.branch_python
import airflow.providers.standard.operators.hitl
import airflow.providers.standard.operators.trigger_dagrun  # noqa: F401 - imported to be there
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

import contract.problem
import contract.runtime.task  # noqa: F401 - imported to be there
from contract.store.client import Store

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

RUNS_PODS = os.environ.get("PERENNIAL_RUNNER") == "kubernetes" and "scheduler" in sys.argv
if RUNS_PODS:
    import_module("airflow.providers.cncf.kubernetes.operators.pod")
    Store.preload_botocore()

gc.collect()


class FreezeOnce:
    """A listener that the scheduler calls for every run that begins."""

    @hookimpl
    def on_dag_run_running(self, dag_run: "DagRun", msg: str) -> None:
        """Freeze the objects of the scheduler's process."""
        del dag_run, msg  # pluggy passes by name
        if gc.get_freeze_count() == 0:
            gc.freeze()


class WarmStart(AirflowPlugin):
    """What Airflow reads at its start."""

    name = "perennial-warm-start"
    listeners = [FreezeOnce()]  # noqa: RUF012 - Airflow declares it as an instance's
