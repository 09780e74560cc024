"""What the OpenAPI of the REST API says of bodies, which are read without FastAPI's own models."""

from typing import Any

_ERROR = {
    "description": "refused",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
        }
    },
}
ERRORS: dict[int | str, dict[str, Any]] = {"4XX": _ERROR, "5XX": _ERROR}

_SIGNATURE = {"signature_name": {"type": "string"}}


def _request(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": _SIGNATURE | properties, "required": required}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _answer(*keys: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object", "properties": {key: {} for key in keys}}
    return {200: {"description": "answered", "content": {"application/json": {"schema": schema}}}}


_EXAMPLES = _request(
    {"examples": {"type": "array", "items": {"type": "object"}}, "context": {"type": "object"}}, ["examples"]
)

REQUESTS = {
    "predict": _request({"instances": {"type": "array"}, "inputs": {}}, []),
    "classify": _EXAMPLES,
    "regress": _EXAMPLES,
}
"""API -> the body of its requests."""

ANSWERS = {
    "predict": _answer("predictions", "outputs"),
    "classify": _answer("results"),
    "regress": _answer("results"),
}
"""API -> the body of its answers."""
