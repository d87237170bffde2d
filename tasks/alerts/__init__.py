"""What needs a person is found here, also where nothing was decided; the DAG tells it."""
