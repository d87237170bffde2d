import re
from typing import Any

from contract.problem.schema import problem_schema


def fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    sections = [schema, *schema["$defs"].values()]
    return [field for section in sections for field in section["properties"].values()]


def test_a_default_is_written_as_its_own_pattern_wants() -> None:
    written = [f for f in fields(problem_schema()) if "pattern" in f and f.get("default")]

    assert len(written) > 5
    for field in written:
        assert re.fullmatch(field["pattern"], field["default"])


def test_every_key_says_what_it_means() -> None:
    silent = [
        f for f in fields(problem_schema()) if not {"description", "const", "$ref"} & f.keys()
    ]

    assert silent == []
