"""The schedule: three DAGs a problem, and the one seam between Airflow and the stages."""
