"""A DAG with a stage for each way to end; each has two tries without a delay between them."""

import json
import os
from datetime import timedelta

from airflow.sdk import DAG

from dags.stage.operator import Stage

with DAG("endings", schedule=None, default_args={"retries": 1, "retry_delay": timedelta(0)}) as dag:
    for name in json.loads(os.environ["ENDINGS_PLAN"]):
        Stage(
            task_id=name,
            problem="flights",
            takes={},
            execution_timeout=timedelta(seconds=1 if name == "late" else 300),
            grace_seconds=2,
        )
