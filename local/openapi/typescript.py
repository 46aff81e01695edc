"""The members of requests and answers as TypeScript, for the client in clients/web.

`python -m local.openapi` writes it beside docs/openapi.json, and a test holds it there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

TYPES = Path(__file__).parents[2] / "clients" / "web" / "modules" / "api.d.ts"
# What a member that may be absent or unknown is in TypeScript.
_PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean"}
_HEAD = """\
/** The members of requests and answers, written by `make docs` from the API; edit nothing here. */
"""
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def write_types(document: dict[str, Any]) -> str:
    """The types' text: an interface for each object, an alias for what is none."""
    schemas = cast("dict[str, dict[str, Any]]", document["components"]["schemas"])
    return "\n".join([_HEAD, *(_declare(name, schemas[name]) for name in sorted(schemas))])


def _declare(name: str, schema: dict[str, Any]) -> str:
    told = _comment(schema, indent="")
    if schema.get("type") == "object" and "properties" in schema:
        return f"{told}export interface {name} {_object(schema, indent='')}\n"
    return f"{told}export type {name} = {_type(schema, indent='')};\n"


def _comment(schema: dict[str, Any], *, indent: str) -> str:
    text = str(schema.get("description", "")).replace("*/", "* /").replace("\n", " ")
    return f"{indent}/** {text} */\n" if text else ""


def _object(schema: dict[str, Any], *, indent: str) -> str:
    needed = set(schema.get("required", ()))
    inner = indent + "  "
    lines: list[str] = []
    for member, its in schema["properties"].items():
        name = member if _NAME.match(member) else json.dumps(member)
        mark = "" if member in needed else "?"
        lines.append(
            f"{_comment(its, indent=inner)}{inner}{name}{mark}: {_type(its, indent=inner)};\n"
        )
    return "{\n" + "".join(lines) + indent + "}"


def _type(schema: dict[str, Any], *, indent: str) -> str:
    """One schema's type; what this does not know is `unknown`, never a wrong type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(_type(one, indent=indent) for one in schema[word]))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        some = cast("list[str]", kinds)
        return " | ".join(_type({**schema, "type": kind}, indent=indent) for kind in some)
    return _of_kind(schema, kind=str(kinds), indent=indent)


def _of_kind(schema: dict[str, Any], *, kind: str, indent: str) -> str:
    if kind == "array":
        item = _type(schema.get("items", {}), indent=indent)
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object" and "properties" in schema:
        return _object(schema, indent=indent)
    if kind == "object":
        values = schema.get("additionalProperties")
        inner = (
            _type(cast("dict[str, Any]", values), indent=indent)
            if isinstance(values, dict)
            else "unknown"
        )
        return f"Record<string, {inner}>"
    return {"null": "null", **_PLAIN}.get(kind, "unknown")
