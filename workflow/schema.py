"""The published JSON Schema of a definition, for editors that check while somebody writes."""

from __future__ import annotations

from typing import Any, Final

import orjson

from workflow.definition import Definition

SCHEMA: Final = "jixiao/workflow/1"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a definition as YAML gives it; names, conditions and ways are checked elsewhere."""
    schema = Definition.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


def schema_bytes() -> bytes:
    """The bytes of ``docs/schema/workflow-1.json``, which ``make schema`` writes."""
    return orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
