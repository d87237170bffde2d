"""How long a deployment waits and how often it polls; a test passes shorter ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times in seconds."""

    follow: float = 10.0
    """A Service's rules follow a rollout within a second or two; the last old pod answers till then."""
    poll: float = 5.0
    """The pause between two interim looks at a canary, at most."""
    away: float = 120.0
    """How long the API or the store may be away in a bake before the stage is tried again."""
    idle: float = 2.0
    """A Gateway's new weights have come through when a canary got no request for so long."""
    idle_timeout: float = 60.0
    """How long that is waited for."""
