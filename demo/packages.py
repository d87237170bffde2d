"""Find data files of installed packages without importing them: their own imports are out of date."""

from importlib.util import find_spec
from pathlib import Path

from contract.errors import InvalidRequest


def package_file(package: str, *parts: str) -> Path:
    """Return the path of a file inside an installed package.

    Raises:
        InvalidRequest: the package, or the file in it, is not there.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InvalidRequest(
            f"The package {package!r} is not installed; run `make demo` or install it."
        )
    path = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    if not path.exists():
        raise InvalidRequest(
            f"The package {package!r} has no file {'/'.join(parts)!r}; is it another?"
        )
    return path
