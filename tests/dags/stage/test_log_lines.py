"""A stage's JSON lines as a person reads them in Airflow."""

import logging

from dags.stage.log_lines import readable


def test_fields_follow_the_message() -> None:
    line = '{"time": "…", "level": "info", "message": "task done", "rows": 7, "outcome": "made"}'

    assert readable(line) == (logging.INFO, "task done rows=7 outcome=made")


def test_facts_at_a_tasks_end_are_written_by_their_kinds() -> None:
    line = (
        '{"message": "task done", "rows": 336776, "vault_from": 1366915800000000, '
        '"latency_p99": 0.0005236, "task": "split"}'
    )

    assert readable(line)[1] == (
        "task done rows=336,776 vault_from=2013-04-25 18:50 UTC latency_p99=524 µs task=split"
    )


def test_fields_of_other_lines_stay_as_they_are() -> None:
    assert readable('{"message": "waiting", "seconds": 3}')[1] == "waiting seconds=3"


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
