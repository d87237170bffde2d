"""A stage's JSON lines as a person reads them in Airflow."""

import logging

from dags.stage.log_lines import readable


def test_fields_follow_the_message() -> None:
    line = '{"time": "…", "level": "info", "message": "task done", "rows": 7, "outcome": "made"}'

    assert readable(line) == (logging.INFO, "task done rows=7 outcome=made")


def test_the_level_is_kept() -> None:
    assert readable('{"level": "error", "message": "task ended"}')[0] == logging.ERROR


def test_a_traceback_stands_below() -> None:
    line = '{"level": "error", "message": "bug", "traceback": "Traceback\\n  …"}'

    assert readable(line) == (logging.ERROR, "bug\nTraceback\n  …")


def test_other_text_stays_as_it_is() -> None:
    assert [readable(text) for text in ("Killed", "[1, 2]", '{"a": 1}')] == [
        (logging.INFO, "Killed"),
        (logging.INFO, "[1, 2]"),
        (logging.INFO, '{"a": 1}'),
    ]
