"""HTTP clients of Airflow and of a prediction service."""
