"""A cluster that a program pretends, the real store behind it, and a scripted Airflow."""

from fixtures_kubernetes import checkout, name, pin, script, service, world

__all__ = ["checkout", "name", "pin", "script", "service", "world"]
