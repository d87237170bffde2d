"""The platform of one machine: an S3 store, Airflow and the model services, on loopback only."""
