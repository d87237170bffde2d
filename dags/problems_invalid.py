"""Say which problem files cannot be read.

This DAG exists only while there is such a file. It fails at once and then daily, until the last
error is mended; the other problems run on. Each line says file, line, column, what was found, what
is expected and what to do. `perennial validate NAME` says the same in a terminal.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowFailException

from dags.alarms import OwnerNotifier
from dags.catalogue import read_catalogue


def build(errors: list[str]) -> DAG:
    """Return the DAG that fails with the list."""
    listed = "\n".join(f"* `{line}`" for error in errors for line in error.splitlines())
    with DAG(
        dag_id="problems_invalid",
        description=errors[0].splitlines()[0],
        doc_md=f"{__doc__}\n{listed}",
        schedule=CronTriggerTimetable("0 6 * * *", timezone="UTC", run_immediately=True),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=1),
        is_paused_upon_creation=False,
        default_args={
            "owner": "unknown",
            "retries": 0,
            "execution_timeout": timedelta(minutes=1),
            "on_failure_callback": OwnerNotifier(None).failure,
        },
        tags=["perennial"],
    ) as dag:

        @task(doc_md="Fails with the list of errors.")
        def problem_files() -> None:
            raise AirflowFailException("\n".join(errors))

        problem_files()
    return dag


_errors = read_catalogue().errors
if _errors:
    problems_invalid = build(_errors)
