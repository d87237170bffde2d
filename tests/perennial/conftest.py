"""A platform's home in a folder of the test's own, and the command as a person calls it."""

from fixtures_command import call, home, write_problem
from fixtures_platform import name, script

__all__ = ["call", "home", "name", "script", "write_problem"]
