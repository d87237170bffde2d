import io
import json

from contract.log import configure, log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    configure(stream)

    log("split").info("task done", rows=3)
    log("split").warning("late")
    log("split").error("ended")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert lines[0]["message"] == "task done"
    assert lines[0]["rows"] == 3


def test_a_bug_keeps_its_traceback() -> None:
    for stream in (io.StringIO(), Terminal()):
        configure(stream)
        try:
            _ = 1 / (len(stream.getvalue()) * 0)
        except ZeroDivisionError:
            log("split").bug("broken")

        assert "ZeroDivisionError" in stream.getvalue()


def test_on_a_terminal_a_line_is_for_eyes() -> None:
    stream = Terminal()
    configure(stream)

    log("split").info("task done", rows=3)

    assert stream.getvalue().rstrip().endswith("task done rows=3")


def test_other_libraries_are_quiet() -> None:
    import logging

    stream = io.StringIO()
    configure(stream)
    logging.getLogger("botocore").info("noise")

    assert stream.getvalue() == ""
