"""The door from a command to the platform that runs: its store, its Airflow, its services."""

from dataclasses import dataclass

from contract.errors import AskedWrongly
from contract.store import Store
from perennial.platform.credentials import ADMIN, Credentials, password_file, read_credentials
from perennial.platform.environment import product_environment
from perennial.platform.home import Home
from perennial.platform.ports import LOOPBACK, read_ports
from perennial.platform.state import PlatformState, read_state


@dataclass(frozen=True)
class Platform:
    """A platform that is up."""

    home: Home
    ports: dict[str, int]
    credentials: Credentials
    state: PlatformState

    @property
    def airflow_url(self) -> str:
        """Where Airflow's pages and its API are."""
        return f"http://{LOOPBACK}:{self.ports['airflow']}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the store, the keys and the places."""
        return product_environment(self.home, self.ports, self.credentials)

    def store(self) -> Store:
        """Open the store."""
        return Store.from_environment(self.environment)

    def links(self) -> dict[str, str]:
        """Return where a person looks, and where the password stands."""
        return {
            "airflow": self.airflow_url,
            "user": ADMIN,
            "password_file": str(password_file(self.home)),
            "store": f"http://{LOOPBACK}:{self.ports['store']}",
            "logs": str(self.home.logs),
        }


def open_platform(home: Home) -> Platform:
    """Return the platform.

    Raises:
        AskedWrongly: it is not up.
    """
    state = read_state(home)
    if state is None or not state.is_up:
        sentence = f"The platform of {str(home.folder)!r} is not up; run `perennial up`."
        raise AskedWrongly(sentence)
    return Platform(home, read_ports(home.ports), read_credentials(home), state)
