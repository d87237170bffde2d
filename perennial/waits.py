"""How long a command waits for others: one argument of whatever waits, with these defaults."""

from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Waits:
    """Times in seconds."""

    dag: float = 60.0
    """Until Airflow knows a DAG: a new problem is seen within 15 s; a busy machine is slower."""
    poll: float = 1.0
    """Between two requests for the state of a run."""
    machine_ready: float = 120.0
    """Until this machine's processes are up: many times the 12 s of docs/measurements.md, for a busy one."""
    ready: float = 300.0
    """Until a cluster's components are up: 34 s is usual where the images are on the nodes already."""
    stop: float = 120.0
    """Until a cluster's pods have ended: a service drains and ships the rest of its log within 45 s."""


USUAL = Waits()


def current_waits() -> Waits:
    """Return those of the command that is called: its click context may have others as `obj`."""
    return click.get_current_context().find_object(Waits) or USUAL
