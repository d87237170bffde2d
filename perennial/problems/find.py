"""Finds problem files: by the name of their folder below the folders of problems, or by path."""

from collections.abc import Sequence
from pathlib import Path

from contract.errors import InvalidRequest
from contract.messages import no_such
from contract.problem import Problem, read_problem
from contract.problem.yaml import parse

FILE = "problem.yaml"


def find_problem(problems: Sequence[Path], name: str) -> Path:
    """Return the problem file that `name` means: a file, a folder with one, or a problem's name.

    Raises:
        InvalidRequest: there is none; the sentence says which are known.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        return path
    for folder in (*(parent / name for parent in problems), path):
        if (folder / FILE).is_file():
            return folder / FILE
    known = sorted({file.parent.name for parent in problems for file in parent.glob(f"*/{FILE}")})
    where = " or ".join(repr(str(parent)) for parent in problems)
    raise InvalidRequest(no_such("problem", name, known, where=f"in {where}"))


def load_problem(
    problems: Sequence[Path], name: str, overrides: dict[str, object] | None = None
) -> tuple[Problem, Path]:
    """Return the typed problem and its file.

    Raises:
        InvalidRequest: it does not validate, or its name is not the one of its folder.
    """
    file = find_problem(problems, name)
    problem = read_problem(file, overrides)
    folder = file.absolute().parent  # not resolved: a folder of problems may hold links
    is_listed = folder.parent.resolve() in {parent.resolve() for parent in problems}
    if is_listed and folder.name != problem.name:
        sentence = (
            f"{file}: found the name {problem.name!r} in the folder "
            f"{folder.name!r}; both must be the same: rename one of them."
        )
        raise InvalidRequest(sentence)
    return problem, file


def parse_overrides(settings: tuple[str, ...], option: str = "--set") -> dict[str, object]:
    """Return `--set KEY=VALUE`, or the same of another option, as dotted keys and YAML values.

    Raises:
        InvalidRequest: there is no equals sign, or the value is no YAML.

    >>> parse_overrides(("models.budget=60s", "models.seed=7"))
    {'models.budget': '60s', 'models.seed': 7}
    """
    overrides: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            sentence = f"{option} {setting!r} was found; KEY=VALUE is expected: models.budget=60s."
            raise InvalidRequest(sentence)
        overrides[key] = parse(value, f"{option} {key}")[0]
    return overrides
