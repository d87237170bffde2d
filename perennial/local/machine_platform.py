"""What a command uses of a platform that is up on this machine: store, Airflow and services."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from contract.errors import InvalidRequest
from contract.problem import Problem, problem_files
from contract.store.client import Store
from perennial.local.credentials import ADMIN, Credentials, password_file, read_credentials
from perennial.local.environment import product_environment, remembered_environment
from perennial.local.home import Home
from perennial.local.ports import LOOPBACK, read_ports
from perennial.local.state import ComponentState, PlatformState, read_state
from perennial.platform import ComponentStatus, PlatformStatus
from perennial.waits import USUAL, Waits

if TYPE_CHECKING:  # see below
    from contract.rollout.pointer import PointerTarget
    from perennial.clients.airflow_api import Airflow
    from perennial.clients.service import Service


@dataclass(frozen=True)
class MachinePlatform:
    """A machine's platform that is up: a `perennial.platform.Platform`."""

    home: Home
    ports: dict[str, int]
    credentials: Credentials
    state: PlatformState
    waits: Waits = USUAL

    @property
    def airflow_url(self) -> str:
        """Where Airflow's pages and its API are."""
        return f"http://{LOOPBACK}:{self.ports['airflow']}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the store, the keys and the folders."""
        return product_environment(self.home, self.ports, self.credentials)

    def store(self) -> Store:
        """Open the store."""
        return Store.from_environment(self.environment)

    def airflow(self) -> "Airflow":
        """Return the client of its Airflow."""
        from perennial.clients.airflow_api import Airflow  # noqa: PLC0415 - HTTP, which `plan` must not pay

        return Airflow(self.airflow_url, ADMIN, self.credentials.airflow_password, waits=self.waits)

    def service(self, problem: str) -> "Service | None":
        """Return the service that announced itself in the store; None where none ever did."""
        from perennial.clients.service import find_service  # noqa: PLC0415 - as above

        return find_service(self.store(), problem, self.credentials.api_key)

    def rollout_target(self, problem: str) -> "PointerTarget":
        """Return the service that follows the pointer in the store."""
        from contract.rollout.pointer import PointerTarget  # noqa: PLC0415 - the store, as above
        from perennial.clients.service import Service  # noqa: PLC0415 - as above

        key = self.credentials.api_key
        return PointerTarget(self.store(), problem, lambda url: Service(problem, url, key).info())

    def pinned(self, problem: str) -> frozenset[str]:
        """Return nothing: on a machine the store itself names what is rolled out."""
        del problem
        return frozenset()

    def problems(self) -> list[str]:
        """Return the names of the problems that have a file."""
        names = list(problem_files(*self.home.problem_folders))
        if not names:
            sentence = (
                f"There is no problem in {str(self.home.problems)!r}; "
                "`perennial init NAME --from FILE --target COLUMN` writes one."
            )
            raise InvalidRequest(sentence)
        return names

    def check_problem(self, problem: Problem) -> None:
        """See that Airflow was started with every variable that the problem's sources mention.

        Raises:
            InvalidRequest: one is not there.
        """
        variables = remembered_environment(self.home)
        absent = sorted(problem.environment_names() - variables.keys())
        if absent:
            sentence = (
                f"{problem.name} mentions {', '.join(absent)}, which was not set when the platform "
                "was started; set it, then `perennial down` and `perennial up`."
            )
            raise InvalidRequest(sentence)

    def status(self) -> PlatformStatus:
        """Return the state of each process."""
        from perennial.local.lifecycle import missing  # noqa: PLC0415 - processes, as above
        from perennial.local.processes import memory_bytes  # noqa: PLC0415 - as above

        return PlatformStatus(
            components={name: _status(state) for name, state in self.state.components.items()},
            waiting_for=missing(self.home),
            memory_bytes=memory_bytes(self.home.folder),
        )

    def faults(self, problem: str) -> list[str]:
        """Return nothing: the state of each component holds the faults of its process."""
        del problem
        return []

    def links(self) -> dict[str, str]:
        """Return where a person looks, and the file of the password."""
        return {
            "airflow": self.airflow_url,
            "user": ADMIN,
            "password_file": str(password_file(self.home)),
            "store": f"http://{LOOPBACK}:{self.ports['store']}",
            "logs": str(self.home.logs),
        }


def open_platform(home: Home, waits: Waits = USUAL) -> MachinePlatform:
    """Return the platform.

    Raises:
        InvalidRequest: it is not up.
    """
    state = read_state(home)
    if state is None or not state.is_up:
        sentence = f"The platform of {str(home.folder)!r} is not up; run `perennial up`."
        raise InvalidRequest(sentence)
    return MachinePlatform(home, read_ports(home.ports), read_credentials(home), state, waits)


def _status(state: ComponentState) -> ComponentStatus:
    process = state.process
    return ComponentStatus(
        state=state.state,
        process=asdict(process) if process else None,
        restarts=state.restarts,
        problem=state.problem,
    )
