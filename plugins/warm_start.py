"""Loads what every task imports, before the scheduler and the DAG processor fork.

Airflow loads plugins at their start, and each task and each parse is a fork of them: 0.1 CPU-s a
step less for the problem's model, 0.05 for the branch, 0.3 for monitoring's trigger.
A new version of these modules is therefore seen after a restart, as Airflow's own.
"""

import airflow.providers.standard.decorators.branch_python
import airflow.providers.standard.operators.hitl
import airflow.providers.standard.operators.trigger_dagrun  # noqa: F401 - imported to be there

import contract.problem
import contract.task  # noqa: F401 - imported to be there
