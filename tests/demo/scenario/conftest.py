"""A platform's home, the command, and a pretended cluster, as the tests of the command have them."""

from fixtures_command import call, home, write_problem
from fixtures_kubernetes import name, pin, script, service, world

__all__ = ["call", "home", "name", "pin", "script", "service", "world", "write_problem"]
