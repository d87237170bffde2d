"""Make `docs/problem.md`: every key of the problem file, from the typed model's own words."""

import json
from collections.abc import Iterator
from typing import Any

from contract.problem.schema import problem_schema
from docs.generate.markdown import page as page_of
from docs.generate.markdown import sentences, table

INTRODUCTION = """# The problem file

`problems/NAME/problem.yaml` says everything that is particular to a problem.
No stage, DAG or service is edited to add one.
The keys marked **required** have no default; every other key may be left out.
`perennial validate NAME` checks a file, `perennial plan NAME` prints it with every default filled in.

Durations are written `90s`, `5m`, `2h`, `7d`; shares `15%` or `0.15`; sizes `200MB` or `1GiB`.
Values are read as YAML 1.2: `on`, `off` and `12:30` are texts.
An unknown key is an error that names the nearest known one.
`${NAME}` in a path or query is taken from the environment: places and secrets never stand in this file."""
UNITS = {"ms|s|m|h|d|w": "duration", "%": "share", "MiB": "size"}
WORDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "string": "text",
}
Schema = dict[str, Any]  # JSON Schema: whatever it holds is JSON


def page() -> str:
    """Return the page."""
    schema = problem_schema()
    return page_of(INTRODUCTION, *_sections("", schema, schema["$defs"]))


def schema_file() -> str:
    """Return the JSON Schema from which editors complete the problem file."""
    return json.dumps(problem_schema(), indent=2) + "\n"


def _sections(path: str, schema: Schema, known: Schema) -> Iterator[str]:
    """Describe one section and then, in their order, the sections inside it."""
    required = set(schema.get("required", ()))
    rows = [
        [f"`{name}`", _kind(inner), _default(name, inner, required), _meaning(inner, known)]
        for name, inner in schema["properties"].items()
    ]
    heading = f"## `{path}`" if path else "## The file"
    told = sentences(schema.get("description", "")) if path else ""
    keys = table(["key", "value", "default", "meaning"], rows)
    yield "\n\n".join(part for part in (heading, told, keys) if part)
    for name, inner in schema["properties"].items():
        place = f"{path}.{name}" if path else name
        for suffix, reference in _references(inner):
            yield from _sections(f"{place}{suffix}", known[reference], known)


def _references(schema: Schema) -> Iterator[tuple[str, str]]:
    """Name the sections that a key's value may hold, and what is added to its path."""
    if "$ref" in schema:
        yield "", schema["$ref"].rpartition("/")[2]
    for inner in schema.get("anyOf", ()):
        yield from _references(inner)
    for inner in schema.get("oneOf", ()):
        for suffix, reference in _references(inner):
            yield (
                f"{suffix} ({reference.removesuffix('Source').removesuffix('Channel').lower()})",
                reference,
            )
    for inner in (
        *schema.get("patternProperties", {}).values(),
        schema.get("additionalProperties"),
    ):
        if isinstance(inner, dict):
            for suffix, reference in _references(inner):
                yield f".NAME{suffix}", reference


def _kind(schema: Schema) -> str:
    """Say in words what a value may be."""
    if unit := _unit(schema):
        return unit
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        kinds = [_kind(inner) for inner in schema["anyOf"] if inner.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    return _section_kind(schema) if any(_references(schema)) else _plain_kind(schema)


def _section_kind(schema: Schema) -> str:
    is_named = "patternProperties" in schema or "additionalProperties" in schema
    return "a section a name" if is_named else "section"


def _plain_kind(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_kind(inner) for inner in schema['prefixItems'])}]"
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object":
        return f"{_kind(schema['additionalProperties'])} a name"
    return WORDS[schema["type"]]


def _unit(schema: Schema) -> str | None:
    """Tell a duration, share or size by the pattern that it is written in."""
    patterns = [schema.get("pattern", ""), *[i.get("pattern", "") for i in schema.get("anyOf", ())]]
    for mark, unit in UNITS.items():
        if any(mark in pattern for pattern in patterns):
            return unit
    return None


def _default(name: str, schema: Schema, required: set[str]) -> str:
    if name in required:
        return "**required**"
    value = schema.get("default")
    if isinstance(value, dict) or any(_references(schema)):
        return "–"  # noqa: RUF001 - a dash: each key of the section has its own
    if value is None or value in ({}, [], ""):
        return "absent"
    if isinstance(value, list):
        return ", ".join(f"`{entry}`" for entry in value)
    return f"`{_written(value, _unit(schema))}`"


def _written(value: object, unit: str | None) -> str:
    if unit == "share" and isinstance(value, int | float):
        return f"{100 * value:g}%"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meaning(schema: Schema, known: Schema) -> str:
    """Return a key's own words, else those of the one section that it holds."""
    inner = [known[reference] for _, reference in _references(schema)]
    only = inner[0].get("description", "") if len(inner) == 1 else ""
    return str(schema.get("description", only))
