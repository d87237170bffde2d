"""Runs in Airflow's interpreter: a database that an earlier version left, and the first screen over it."""

import json
import sys

from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.utils.db import upgradedb
from fastapi.testclient import TestClient

upgradedb()
client = TestClient(create_app(apps="core"))
user = SimpleAuthManagerUser(username="someone", role="admin")
headers = {"Authorization": f"Bearer {get_auth_manager().generate_jwt(user)}"}
answer = client.get("/perennial/problems", headers=headers)
report = {"status": answer.status_code, "body": answer.text}
sys.stdout.write("REPORT " + json.dumps(report) + "\n")
