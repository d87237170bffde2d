#!/bin/sh
# Brings the database to this version of Airflow and makes the first user; run twice it changes nothing.
set -eu
airflow db check --retry 60 --retry-delay 1
airflow db migrate
# Each in one word: a password may begin with a dash.
airflow users create --role Admin --username="$ADMIN_NAME" --password="$ADMIN_PASSWORD" \
  --email admin@localhost --firstname Perennial --lastname Admin
