"""Shared by `run` and `monitor`: the window, and the display of a run."""

from dataclasses import asdict
from typing import Any

from contract.errors import InvalidRequest
from contract.outcome import RunOutcome, run_outcome
from contract.stages import STAGES
from contract.store.champion_pointer import read_champion
from contract.store.documents import DamagedDocument
from contract.times import is_to_come
from perennial.clients.airflow_api import Airflow
from perennial.console import Console
from perennial.platform import Platform
from perennial.progress import live_progress
from perennial.runs import FinishedRun, follow
from perennial.times import parse_time


def run_conf(zone: str, window_start: str | None, window_end: str | None) -> dict[str, Any]:
    """Return the window as the configuration of a DAG run; options that are None are left out.

    Raises:
        InvalidRequest: a time is invalid, or the window ends before it starts.
    """
    options = {"window_start": window_start, "window_end": window_end}
    window = {
        name: parse_time(text, zone, f"--{name.replace('_', '-')}")
        for name, text in options.items()
        if text is not None
    }
    if len(window) == len(options) and window["window_start"] >= window["window_end"]:
        sentence = (
            f"--window-start {window_start} is not before --window-end {window_end}; "
            "give an end after the start."
        )
        raise InvalidRequest(sentence)
    if "window_end" in window and is_to_come(window["window_end"]):
        sentence = (
            f"--window-end {window_end} is in the future, of which nothing is known; "
            "give an end that has passed, or none."
        )
        raise InvalidRequest(sentence)
    return {name: moment.isoformat(timespec="seconds") for name, moment in window.items()}


def follow_run(console: Console, airflow: Airflow, dag: str, run: str) -> FinishedRun:
    """Show a run until it ends, then print its result."""
    console.print(f"{dag}: run {run}")
    try:
        with live_progress(console) as show:
            is_terminal = console.progress.is_terminal
            finished = follow(airflow, dag, run, show, is_interactive=is_terminal)
    except KeyboardInterrupt:
        console.print(f"{dag}: run {run} continues in Airflow.")
        raise
    console.print(f"{dag}: {finished.state} after {finished.seconds:.1f} s")
    for step in finished.failed:
        console.print(step.why)
    return finished


def run_document(problem: str, finished: FinishedRun) -> dict[str, Any]:
    """Return a finished run as the document of `--json`."""
    stages = sorted(
        (step for step in finished.steps if step.is_stage), key=lambda step: STAGES.index(step.name)
    )
    return {
        "problem": problem,
        "dag": finished.dag,
        "run": finished.run,
        "state": finished.state,
        "seconds": finished.seconds,
        "exit": finished.exit_code,
        "why": [step.why for step in finished.failed],
        "stages": [asdict(step) for step in stages],
    }


def outcome_of(finished: FinishedRun, platform: Platform, problem: str) -> RunOutcome | None:
    """Return what came of a run that Airflow calls a success; None of any other.

    Also None where nobody knows who serves: `perennial status` names the damaged document.
    """
    if finished.state != "success":
        return None
    try:
        champion = read_champion(platform.store(), problem)
    except DamagedDocument:
        return None
    return run_outcome(problem, finished.results, champion.digest if champion else None)
