"""The JSON Schema of the problem file, from which editors complete it."""

from typing import Any

from contract.problem.model import Problem

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def problem_schema() -> dict[str, Any]:
    """Return the schema of what may be written, each default spelled as people write it.

    Pydantic writes the defaults of what is read in a machine's spelling (`PT5M`), which the same
    schema's pattern refuses; those of what is written it spells as the file does.
    """
    read = Problem.model_json_schema(by_alias=True)
    written = Problem.model_json_schema(by_alias=True, mode="serialization")
    for name, section in [("", read), *read["$defs"].items()]:
        twin = written["$defs"][name] if name else written
        for key, field in section["properties"].items():
            if "default" in field:
                field["default"] = twin["properties"][key]["default"]
    return {"$schema": DIALECT, **read}
