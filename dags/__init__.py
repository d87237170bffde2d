"""The schedule: two DAGs a problem, and the one seam between Airflow and the stages."""
