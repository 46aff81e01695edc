"""The few forms that JSON schemas of ours are put together from."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
FLAG: Schema = {"type": "boolean"}


def ref(name: str) -> Schema:
    """The component schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(**members: Schema) -> Schema:
    """An object of which every member is always there."""
    return {"type": "object", "required": list(members), "properties": members}


def partly(schema: Schema, *absent: str) -> Schema:
    """The same object, of which these members can be absent."""
    return {**schema, "required": [name for name in schema["required"] if name not in absent]}


def rows(each: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": each}


def counts(each: Schema) -> Schema:
    """An object whose members are named by what is counted."""
    return {"type": "object", "additionalProperties": each}


def choice(*values: str) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}


def said(schema: Schema, description: str) -> Schema:
    """The schema with a sentence for people."""
    return {**schema, "description": description}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


AMOUNT = ref("Amount")
