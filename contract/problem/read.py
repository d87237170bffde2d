"""Read a problem file; every error says file, line, column, what was found, expected, and to do."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contract.errors import InvalidRequest
from contract.messages import known_names
from contract.problem.model import Problem
from contract.problem.sources import KINDS
from contract.problem.yaml import Path as KeyPath
from contract.problem.yaml import Position, parse


def read_problem(path: Path, overrides: Mapping[str, Any] | None = None) -> Problem:
    """Read the problem file at `path`, with dotted keys of `overrides` put in its place.

    Raises:
        InvalidRequest: the file is absent or does not validate; all its errors, a line each.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path}: found bytes that are no UTF-8; save it as UTF-8.") from error
    except OSError as error:
        sentence = f"{path}: found no readable problem file ({error.strerror}); check the path."
        raise InvalidRequest(sentence) from error
    return read_problem_text(text, str(path), overrides)


def read_problem_text(text: str, name: str, overrides: Mapping[str, Any] | None = None) -> Problem:
    """Read a problem file's text; `name` stands in errors.

    Raises:
        InvalidRequest: as `read_problem`.
    """
    value, positions = parse(text, name)
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"{name}:1:1: found {value!r}; a mapping with name, question … expected."
        )
    overridden: set[KeyPath] = set()
    for dotted, override in (overrides or {}).items():
        path = tuple(dotted.split("."))
        _put(value, path, override)
        overridden.add(path)
    try:
        return Problem.model_validate(value)
    except ValidationError as error:
        lines = [
            _line(name, entry, positions, overridden)
            for entry in error.errors(include_url=False, include_context=False)
        ]
        raise InvalidRequest("\n".join(dict.fromkeys(lines))) from error


def _put(value: dict[str, Any], path: tuple[str, ...], override: Any) -> None:  # noqa: ANN401 - any YAML value
    for part in path[:-1]:
        inner = value.get(part)
        if not isinstance(inner, dict):
            inner = value[part] = {}
        value = inner
    value[path[-1]] = override


def _line(
    name: str,
    entry: ErrorDetails,
    positions: dict[KeyPath, Position],
    overridden: set[KeyPath],
) -> str:
    # A discriminated union puts its tag into the path; the file has no such level.
    location: KeyPath = tuple(
        part
        for index, part in enumerate(entry["loc"])
        if not (part in KINDS and index == 2 and entry["loc"][0] == "source")  # noqa: PLR2004 - source.NAME.TAG
    )
    dotted = ".".join(map(str, location)) or "the file"
    if any(location[: len(path)] == path for path in overridden):
        where = f"--set {dotted}"
    else:
        nearest = location
        while nearest and nearest not in positions:
            nearest = nearest[:-1]
        line, column = positions.get(nearest, (1, 1))
        where = f"{name}:{line}:{column}"
    return f"{where}: {_sentence(dotted, location, entry)}"


def _sentence(dotted: str, location: KeyPath, entry: ErrorDetails) -> str:
    kind, message, value = entry["type"], entry["msg"], entry.get("input")
    if kind == "extra_forbidden":
        known = _keys_beside(location)
        hint = known_names(str(location[-1]), known, cutoff=0.7)
        return f"found the unknown key {dotted!r}; {hint}"
    if kind == "missing":
        return f"{dotted!r} is missing; it is required: add it."
    if kind == "value_error":
        return f"{dotted}: {message.removeprefix('Value error, ')}."
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return f"{dotted}.kind is not known; one of {', '.join(sorted(KINDS))} is expected."
    expected = message[0].lower() + message[1:]
    return f"{dotted}: found {value!r}; {expected}."


def _keys_beside(location: KeyPath) -> list[str]:
    """Return the keys that the model knows where the unknown one stands."""
    models: list[type[BaseModel]] = [Problem]
    for part in location[:-1]:
        inner = [
            model
            for outer in models
            for field_name, field in outer.model_fields.items()
            if part in {field_name, field.alias}
            for model in _models_in(field.annotation)
        ]
        models = inner or models
    return sorted(
        {field.alias or name for model in models for name, field in model.model_fields.items()}
    )


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type's annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in {Union, UnionType, dict, tuple} or get_args(annotation):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []


def problem_folders(path: str) -> tuple[Path, ...]:
    """Return the folders of problems that $PERENNIAL_PROBLEMS names, separated as in $PATH.

    >>> [str(folder) for folder in problem_folders("/added:/mine")]
    ['/added', '/mine']
    """
    return tuple(Path(folder) for folder in path.split(os.pathsep) if folder)


def problem_files(*folders: Path) -> dict[str, Path]:
    """Return the problem file of each problem in the folders, by name.

    `NAME/problem.yaml`, or `NAME.problem.yaml` as from a ConfigMap, whose keys hold no slash. Where
    two folders have the same problem, the file of the earlier folder is returned.
    """
    files: dict[str, Path] = {}
    for folder in reversed(folders):
        files |= {
            path.name.removesuffix(".problem.yaml"): path for path in folder.glob("*.problem.yaml")
        }
        files |= {path.parent.name: path for path in folder.glob("*/problem.yaml")}
    return dict(sorted(files.items()))
