"""What Airflow's UI shows of the problems: the pages of a run, behind Airflow's own login."""
