"""A stage's log lines, as a person reads them in Airflow's log: level, message, fields."""

import json
import logging

from contract.facts import describe_fields

LEVELS = {"debug": logging.DEBUG, "warning": logging.WARNING, "error": logging.ERROR}
NOT_FIELDS = ("time", "level", "message", "traceback")


def readable(line: str) -> tuple[int, str]:
    """Return the level and the text of one line; a line that is not JSON stays as it is.

    >>> readable('{"level": "warning", "message": "waiting", "seconds": 3}')
    (30, 'waiting seconds=3')
    >>> readable("Killed")
    (20, 'Killed')
    """
    try:
        entry = json.loads(line)
    except ValueError:
        return logging.INFO, line
    if not isinstance(entry, dict) or "message" not in entry:
        return logging.INFO, line
    message = str(entry["message"])
    fields = {name: value for name, value in entry.items() if name not in NOT_FIELDS}
    text = f"{message} {describe_fields(message, fields)}".rstrip()
    if "traceback" in entry:
        text = f"{text}\n{entry['traceback']}"
    return LEVELS.get(str(entry.get("level")), logging.INFO), text
