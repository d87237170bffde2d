"""One stage as an Airflow task: a process on one machine, a pod on a cluster."""
