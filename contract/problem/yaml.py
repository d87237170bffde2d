"""YAML as people expect it today: the core schema of YAML 1.2, with the position of every value.

PyYAML resolves YAML 1.1, where `on` and `off` are booleans, `12:30` is 750 and a date is an
object; the problem file has a key `on` and a mode `off`. Only its parser is used here.
"""

import re
from typing import Any

import yaml

from contract.errors import InvalidRequest

Path = tuple[str | int, ...]
Position = tuple[int, int]  # line and column, from 1

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def parse(text: str, name: str) -> tuple[Any, dict[Path, Position]]:
    """Return the value of a YAML text and the position of each part of it.

    Raises:
        InvalidRequest: it is not YAML, or a key stands twice in one mapping.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise InvalidRequest(
            f"{where}: found no YAML: {error.problem}; check this line."
        ) from error
    except yaml.YAMLError as error:
        raise InvalidRequest(f"{name}: found no YAML: {error}; is it a text file?") from error
    positions: dict[Path, Position] = {}
    if node is None:
        return None, positions
    return _value(node, (), positions, name), positions


def _value(node: yaml.Node, path: Path, positions: dict[Path, Position], name: str) -> Any:  # noqa: ANN401 - any YAML value
    positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style in {"'", '"', "|", ">"} else _plain(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_value(n, (*path, i), positions, name) for i, n in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        key = str(key_node.value)
        if key in mapping:
            sentence = f"{name}:{line}:{column}: the key {key!r} stands twice; leave one of them."
            raise InvalidRequest(sentence)
        positions[*path, key] = (line, column)
        mapping[key] = _value(value_node, (*path, key), positions, name)
    return mapping


def _plain(text: str) -> Any:  # noqa: ANN401 - any YAML scalar
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
