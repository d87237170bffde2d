"""The form behind Airflow's trigger button, and the run's parameters that are made of it.

The same JSON Schema checks what the form, the REST API and the command line send.
"""

from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from dags.stage.request import run_key

if TYPE_CHECKING:
    from airflow.sdk import Context

# JSON Schema's `format: date-time` alone lets "2026-13-01" through.
MOMENT = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d"
    r"(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"
)
DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
DURATION = r"^\d+(\.\d+)?\s*(s|m|h|d)$"
REASONS = ["manual", "nightly", "drift", "performance", "benefit", "age", "prior", "other"]


def lifecycle_form() -> dict[str, Param]:
    """Return the fields of a lifecycle run."""
    return {
        "window_start": _moment(
            "Window start", "Rows of earlier events are left out. All, if empty."
        ),
        **_window_end(),
        "budget": Param(
            None,
            type=["null", "string"],
            pattern=DURATION,
            title="Budget",
            description="CPU time of selection and tuning, such as 60s. The problem's, if empty.",
            section="Work",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            examples=REASONS,
            minLength=1,
            maxLength=200,
            title="Reason",
            description="Why this run; the ledger keeps it. `manual` or `nightly`, if empty.",
            section="Work",
        ),
        "replay": Param(
            None,
            type=["null", "boolean"],
            title="Replay the champion's plan",
            description="Fit the settings of the model that serves, without a search. "
            "A nightly run does, if empty; any other searches.",
            section="Work",
        ),
        "onset": Param(
            None,
            type=["null", "string"],
            format="date",
            pattern=DAY,
            title="Change since",
            description="First day of the change that the run is about: new and old model are "
            "compared on the days since. Monitoring gives it; unknown, if empty.",
            section="Data",
        ),
        **_switches(),
    }


def monitoring_form() -> dict[str, Param]:
    """Return the fields of a monitoring run."""
    return _window_end() | _switches()


def alerts_form() -> dict[str, Param]:
    """Return the fields of a run of the alerts."""
    return _window_end() | {
        "test": Param(
            False,  # noqa: FBT003 - a JSON value
            type="boolean",
            title="Test the channels",
            description="Each channel gets one message, whatever is open.",
            section="Work",
        ),
        **_switches(),
    }


def run_params(problem: str, context: "Context") -> dict[str, object]:
    """Return the parameters of the `problem` stage, which fixes the run.

    A key that the form does not know stays, so that the stage refuses it by name. `set` wins over
    `budget`, as it is the more exact of the two.
    """
    run = context["dag_run"]
    form: dict[str, Any] = dict(context["params"])
    form.pop("test", None)  # of the alerts' own run alone
    overrides: dict[str, Any] = {}
    if budget := form.pop("budget", None):
        overrides["models.budget"] = budget
    overrides |= form.pop("set", None) or {}
    by_clock = str(getattr(run.run_type, "value", run.run_type)) in {"scheduled", "backfill"}
    return {
        **form,
        "name": problem,
        "run_id": run_key(run.run_id),
        "window_start": form.get("window_start"),
        "window_end": form.get("window_end") or run.run_after.isoformat(),
        # Airflow knows it of runs that a person started by its pages or its API.
        "by": getattr(run, "triggering_user_name", None),
        "reason": form.get("reason") or ("nightly" if by_clock else "manual"),
        "force": bool(form.get("force")),
        # A monitoring run has no such field.
        "replay": by_clock if form.get("replay", False) is None else form.get("replay", False),
        "overrides": overrides,
    }


def _window_end() -> dict[str, Param]:
    text = (
        "What was known then counts; it is `now` for the whole run. The run's own time, if empty."
    )
    return {"window_end": _moment("Window end", text)}


def _moment(title: str, description: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        pattern=MOMENT,
        title=title,
        description=description,
        section="Data",
    )


def _switches() -> dict[str, Param]:
    return {
        "force": Param(
            False,  # noqa: FBT003 - a JSON value
            type="boolean",
            title="Without cache",
            description="Make everything anew.",
            section="Work",
        ),
        "set": Param(
            {},
            type=["null", "object"],
            title="Overrides",
            description='Keys of the problem file, such as {"models.seed": 7}. Recorded in the run.',
            section="Work",
        ),
    }
