"""A whole rehearsal of a user's problem: its rows, its world, its days, its result."""

import logging
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contract.errors import InvalidRequest
from contract.messages import no_such
from contract.rehearsal import RehearsalRequest
from methods.controller.days import ONE_DAY
from methods.controller.policy import Policy
from rehearsal.landed_run import OwnRows, prepare_own_rows
from rehearsal.outcome import outcome_page, summarize_days
from rehearsal.own_problem import rehearsed_problem
from rehearsal.own_world import DrawnDays, LandedDays, landed_span
from rehearsal.scenarios import HISTORY, SCENARIOS
from rehearsal.simulation import RehearsalPlan, Simulation
from rehearsal.world import World

MOST_HISTORY = 120
"""Days that the first model learns from at most, unless it is said. Arbitrary."""
LEAST_HISTORY = 28
WITHOUT_TIME_BEGIN = date(2024, 1, 1)  # any Monday: rows without a time have no days of their own


def rehearse(request: RehearsalRequest, folder: Path) -> Iterator[str]:
    """Rehearse in a folder, and yield a line of JSON for each day; write its result and its page.

    Raises:
        InvalidRequest: there is no such scenario, or no such key of the policy.
        Refused: the rows cannot be learned from.
    """
    for name in ("perennial", "great_expectations"):
        logging.getLogger(name).setLevel(logging.ERROR)  # hundreds of runs that nobody follows
    if request.scenario not in {HISTORY, *SCENARIOS}:
        sentence = no_such("scenario", request.scenario, [HISTORY, *SCENARIOS])
        raise InvalidRequest(sentence)
    policy = policy_of(request.policy)
    rows = prepare_own_rows(request)
    begin, days, history = _span(request, rows)
    world: World = (
        LandedDays(rows, begin, request.seed)
        if request.scenario == HISTORY
        else DrawnDays(rows, begin, request.seed, SCENARIOS[request.scenario])
    )
    plan = RehearsalPlan(
        problem=rehearsed_problem(rows.problem, rows.table.column_names, request.budget),
        begin=begin,
        days=days,
        history=history,
        policy=policy,
    )
    simulation = Simulation(folder, plan, world)
    for record in simulation.run():
        yield record.model_dump_json()
    records = simulation.records
    scenario = SCENARIOS.get(request.scenario)
    page = folder / "page.html"
    result = summarize_days(
        request,
        "the landed history itself, day after day" if scenario is None else scenario.says,
        records,
        policy,
        task=rows.schema.task,
        page=str(page),
        first_refused=simulation.first_refusal,
    )
    settings: dict[str, object] = {
        "scenario": request.scenario,
        "history, days": history,
        "seed": request.seed,
        "CPU-s": result.cpu_seconds,
        **request.policy,
    }
    page.write_text(outcome_page(result, records, settings), encoding="utf-8")
    (folder / "result.json").write_text(result.model_dump_json(indent=1), encoding="utf-8")


def policy_of(given: Mapping[str, Any]) -> Policy:
    """Return the product's policy with dotted keys overridden.

    Raises:
        InvalidRequest: there is no such key, or the value does not fit.
    """
    value: dict[str, Any] = Policy().model_dump()
    for key, wanted in given.items():
        *above, last = key.split(".")
        place = value
        for name in above:
            place = place[name] if isinstance(place.get(name), dict) else {}
        if last not in place:
            known = ", ".join(sorted(value))
            sentence = f"--policy {key} was found; expected one of {known}, or a key within one."
            raise InvalidRequest(sentence)
        place[last] = wanted
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        sentence = f"--policy {'.'.join(map(str, first['loc']))}: {first['msg']}."
        raise InvalidRequest(sentence) from error


def _span(request: RehearsalRequest, rows: OwnRows) -> tuple[date, int, int]:
    """Return day 0, how many days are rehearsed, and how many the first model learns from.

    Raises:
        InvalidRequest: too few days have landed for a history.
    """
    if rows.schema.event_time is None and request.scenario != HISTORY:
        return WITHOUT_TIME_BEGIN, request.days, request.history or LEAST_HISTORY
    first, last = landed_span(rows)
    landed = (last - first) // ONE_DAY + 1
    if request.scenario != HISTORY:
        history = request.history or max(LEAST_HISTORY, min(landed, MOST_HISTORY))
        return last + ONE_DAY, request.days, history
    history = request.history or max(LEAST_HISTORY, min(landed // 3, MOST_HISTORY))
    left = landed - history
    if left < 1:
        sentence = (
            f"{landed} days have landed, from {first} to {last}; more than {history} are needed "
            "for a history and days to rehearse. Choose a smaller --history, or another scenario."
        )
        raise InvalidRequest(sentence)
    return first + timedelta(days=history), min(request.days, left), history
