"""What `run` and `monitor` have in common: the window, the client, the way a run is shown."""

from dataclasses import asdict
from typing import Any

from contract.errors import AskedWrongly
from contract.stages import STAGES
from perennial.clients.airflow_api import Airflow
from perennial.console import Console
from perennial.progress import shown
from perennial.runs import Followed, follow
from perennial.times import parse_moment


def conf_of(zone: str, window_start: str | None, window_end: str | None) -> dict[str, Any]:
    """Return the window as the DAG's form takes it; what is not given is left out.

    Raises:
        AskedWrongly: a time is no time, or the window ends before it starts.
    """
    given = {"window_start": window_start, "window_end": window_end}
    window = {
        name: parse_moment(text, zone, f"--{name.replace('_', '-')}")
        for name, text in given.items()
        if text is not None
    }
    if len(window) == len(given) and window["window_start"] >= window["window_end"]:
        sentence = (
            f"--window-start {window_start} is not before --window-end {window_end}; "
            "give a window that holds time."
        )
        raise AskedWrongly(sentence)
    return {name: moment.isoformat(timespec="seconds") for name, moment in window.items()}


def follow_run(speech: Console, airflow: Airflow, dag: str, run: str) -> Followed:
    """Show a run until it ends, then say how it ended."""
    speech.say(f"{dag}: run {run}")
    try:
        with shown(speech) as look:
            watched = speech.progress.is_terminal
            followed = follow(airflow, dag, run, look, is_watched=watched)
    except KeyboardInterrupt:
        speech.say(f"{dag}: run {run} goes on without being watched.")
        raise
    speech.say(f"{dag}: {followed.state} after {followed.seconds:.1f} s")
    for step in followed.failed:
        speech.say(step.why)
    return followed


def run_document(problem: str, followed: Followed) -> dict[str, Any]:
    """Return a run that ended as `--json` tells it."""
    stages = sorted(
        (step for step in followed.steps if step.is_stage), key=lambda one: STAGES.index(one.name)
    )
    return {
        "problem": problem,
        "dag": followed.dag,
        "run": followed.run,
        "state": followed.state,
        "seconds": followed.seconds,
        "exit": followed.exit_code,
        "why": [step.why for step in followed.failed],
        "stages": [asdict(step) for step in stages],
    }
