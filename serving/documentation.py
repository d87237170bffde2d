"""The OpenAPI document and the page that shows it.

BentoML writes the frame; the columns of the model that serves, the errors and the API key are
added here. BentoML's own page at `/` loads a tag manager from elsewhere and its description
loads badges: neither is shown, and the page may load nothing but from this service.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from bundle.documents import Column, Contract
from bundle.request import beside
from contract.formatting import format_digest
from contract.service_protocol import FEEDBACK, INFO, PREDICT, PREDICT_BATCH, PREDICTION_ROUTES
from serving.rows import MAX_ROWS
from serving.service_state import ServiceState

_SCRIPT = (
    'window.ui = SwaggerUIBundle({url: "docs.json", dom_id: "#service", '
    "deepLinking: true, tryItOutEnabled: true});"
)
_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Model service</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
<div id="service"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script>{_SCRIPT}</script>
</html>
""".encode()
_SCRIPT_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

PAGE_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        (
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
            f"script-src 'self' 'sha256-{_SCRIPT_DIGEST}'; frame-ancestors 'none'"
        ).encode(),
    ),
]

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "One sentence: found, expected, what to do."},
        "fields": {
            "type": "array",
            "description": "422 only: each field that does not fit.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "found": {"type": "string"},
                    "expected": {"type": "string"},
                    "row": {"type": "integer", "description": "The row's index in the batch."},
                },
            },
        },
    },
}
_STATUSES = (400, 401, 408, 413, 422, 500, 503)
_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "category": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
    "date": {"type": "string", "description": "ISO 8601"},
    "text": {"type": "string"},
}


class Documentation:
    """Writes the document anew when another model serves."""

    def __init__(self, frame: Callable[[], Mapping[str, Any]], state: ServiceState) -> None:
        self._frame = frame
        self._state = state
        self._digest: str | None = None
        self._body = b""

    @property
    def page(self) -> bytes:
        """The page for a person."""
        return _PAGE

    def openapi(self) -> bytes:
        """Return the OpenAPI document as JSON."""
        served = self._state.served
        digest = served.digest if served else None
        if not self._body or digest != self._digest:
            contract = served.model.contract if served else None
            frame = msgspec.json.decode(msgspec.json.encode(self._frame()))  # statuses as strings
            meaning = served.decision["meaning"] if served else ""
            document = describe(frame, self._state.problem, digest, contract, meaning)
            self._body, self._digest = msgspec.json.encode(document), digest
        return self._body


def describe(
    frame: Mapping[str, Any],
    problem: str,
    digest: str | None,
    contract: Contract | None,
    meaning: str,
) -> dict[str, Any]:
    """Return BentoML's document, completed with what the service takes and answers."""
    paths = {path: dict(item) for path, item in frame["paths"].items()}
    info = dict(paths[INFO].pop("post"))
    info.pop("requestBody", None)
    paths[INFO]["get"] = info
    for path, item in paths.items():
        if path in PREDICTION_ROUTES:
            item["post"] = item["post"] | {
                "security": [{"key": []}],
                "responses": {"200": item["post"]["responses"]["200"], **_errors()},
            }
    if contract is not None:
        row = {"$ref": "#/components/schemas/Row"}
        rows = {"type": "array", "items": row, "maxItems": MAX_ROWS}
        _set_body(paths[PREDICT], row)
        _set_body(
            paths[PREDICT_BATCH],
            {"type": "object", "required": ["rows"], "properties": {"rows": rows}},
        )
    label = dict(paths[FEEDBACK]["post"]["requestBody"]["content"]["application/json"]["schema"])
    label.pop("root_input", None)
    _set_body(paths[FEEDBACK], {"oneOf": [label, {"type": "array", "items": label}]})
    schemas = {"Error": _ERROR} | ({"Row": row_schema(contract)} if contract else {})
    generated = frame.get("components", {}).get("schemas", {})
    return {
        "openapi": frame["openapi"],
        "info": {
            "title": problem,
            "version": format_digest(digest, "none"),
            "description": f"Predictions of the model that serves `{problem}`. {_sentence(meaning)}".strip(),
        },
        "servers": [{"url": "."}],
        "tags": frame.get("tags", []),
        "paths": paths,
        "components": {
            "schemas": generated | schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def row_schema(contract: Contract) -> dict[str, Any]:
    """Return the JSON Schema of one row."""
    others = {name: {"description": "logged beside the row"} for name in beside(contract)}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [column.name for column in contract.columns if column.required],
        "properties": {column.name: _schema(column) for column in contract.columns} | others,
    }


def _schema(column: Column) -> dict[str, Any]:
    schema = dict(_TYPES[column.type])
    description = [schema.get("description", ""), column.description, column.unit or ""]
    limits = {"minimum": column.low, "maximum": column.high}
    schema |= {name: value for name, value in limits.items() if value is not None}
    if column.nullable:
        schema["nullable"] = True
    if any(description):
        schema["description"] = "; ".join(part for part in description if part)
    return schema


def _errors() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": content}
        for status in _STATUSES
    }


def _set_body(item: dict[str, Any], schema: dict[str, Any]) -> None:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    item["post"] = item["post"] | {"requestBody": body}
