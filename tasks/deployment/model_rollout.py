"""One model on its way into service: what every strategy needs to know of it."""

from collections.abc import Callable
from dataclasses import dataclass

from bundle import Model
from contract.errors import Conflict
from contract.rollout.strategy import Attempt
from contract.rollout.switch import CurrentChampion
from contract.rollout.target import RolloutFailed, RolloutTarget, wait_until_served
from contract.run import Run
from contract.store.client import Store
from tasks.deployment.latency import check_latency, measure_latency
from tasks.deployment.limits import Limits
from tasks.deployment.result import ServiceObservations
from tasks.deployment.verification import ask_service, send_golden_rows


@dataclass(frozen=True)
class ModelRollout:
    """A model, the service that it goes to, and the champion that it replaces."""

    store: Store
    run: Run
    digest: str
    current: CurrentChampion
    """The champion as it was when the deployment began."""
    target: RolloutTarget
    load: Callable[[str], Model]
    """Loads a model of the store by its digest; raises `RolloutFailed` where its bundle is refused."""
    api_key: str
    latency_limit: float
    """Seconds that 99 of 100 requests may take."""
    limits: Limits


def roll_out_and_verify(
    rollout: ModelRollout, model: Model, before: ServiceObservations
) -> Attempt[ServiceObservations]:
    """Roll out to every process or pod, and compare what is served with the bundle.

    `before` is what a strategy observed until now.
    """
    observed = before
    try:
        rollout.target.roll_out(model.digest, rollout.run.window_end)
        url = wait_until_served(rollout.target, model.digest)
        golden, latency = ask_service(
            url,
            rollout.api_key,
            model,
            lambda client: (
                send_golden_rows(client, model),
                measure_latency(client, model, rollout.latency_limit),
            ),
            follow_seconds=rollout.limits.follow,
        )
        results = {"url": url, "canary": golden, "latency_p99": latency.p99, "latency": latency}
        observed = before.model_copy(update=results)
        check_latency(latency, rollout.latency_limit)
    except (RolloutFailed, Conflict) as error:
        return Attempt(observed, str(error))
    return Attempt(observed)
