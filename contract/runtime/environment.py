"""The environment variables that every stage has; what one stage sees beyond them is in `contract/stages.py`.

A stage's process and the interpreter that forks stages (`contract/runtime/prefork/server.py`) both
take them from here: libraries read some of them when they are imported, so the interpreter refuses
a stage that has another value of a variable that it was started with.
"""

from collections.abc import Mapping
from types import MappingProxyType

INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
NO_TELEMETRY: Mapping[str, str] = MappingProxyType(
    {"BENTOML_DO_NOT_TRACK": "True", "GX_ANALYTICS_ENABLED": "false"}
)


def common_environment(surroundings: Mapping[str, str], project: str) -> dict[str, str]:
    """Return what every stage has: a part of `surroundings`, and where the project is.

    >>> sorted(common_environment({"HOME": "/home/ada", "USER": "ada"}, "/app"))
    ['BENTOML_DO_NOT_TRACK', 'GX_ANALYTICS_ENABLED', 'HOME', 'PYTHONPATH', 'PYTHONUNBUFFERED']
    """
    kept = {name: surroundings[name] for name in INHERITED if name in surroundings}
    return {**kept, **NO_TELEMETRY, "PYTHONPATH": project, "PYTHONUNBUFFERED": "1"}
