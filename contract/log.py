"""Logs: one JSON object a line on standard output; on a terminal, a line for eyes.

The message is a constant and the values are fields. A task ends with one canonical line.
Never logged: rows, secrets, a whole configuration.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from contract.facts import describe_fields

FIELDS = "fields"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        entry |= getattr(record, FIELDS, {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class _Pretty(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        message = record.getMessage()
        fields = describe_fields(message, getattr(record, FIELDS, {}))
        line = f"{moment} {message} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Log:
    """A logger whose values are fields: `log.info("waiting", seconds=3)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, message: str, **fields: object) -> None:
        """Say what a person may want to know now: waiting, skipping, long progress, the end."""
        self._logger.info(message, extra={FIELDS: fields})

    def warning(self, message: str, **fields: object) -> None:
        """Say what a person can act on now."""
        self._logger.warning(message, extra={FIELDS: fields})

    def error(self, message: str, **fields: object) -> None:
        """Say why the work ends here."""
        self._logger.error(message, extra={FIELDS: fields})

    def bug(self, message: str, **fields: object) -> None:
        """Say what nobody foresaw, with its traceback."""
        self._logger.error(message, extra={FIELDS: fields}, exc_info=True)  # noqa: LOG014 - called inside a handler


def configure(stream: TextIO | None = None) -> None:
    """Send logs to `stream` (standard output if None); called once, by a `__main__`."""
    target = sys.stdout if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(_Pretty() if target.isatty() else _Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("perennial").setLevel(logging.INFO)


def log(name: str) -> Log:
    """Return the log of one module or task."""
    return Log(f"perennial.{name}")
