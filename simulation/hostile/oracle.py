"""What must be refused, told by others than the code that refuses it.

The body is read by another JSON parser and held against docs/openapi.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import pydantic_core

from tests.support.contract import closed_document, follow, operation
from tollkeeper.edge.wire import DEEPEST, LARGEST_BODY_BYTES

JSON = "application/json"
PEOPLES = frozenset({"reason", "name"})


class TwiceError(ValueError):
    """A member is there twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TwiceError
    return members


def read_body(raw: bytes) -> dict[str, Any] | None:
    """The body's object; None where it is none, or one that nobody should take."""
    if len(raw) > LARGEST_BODY_BYTES:
        return None
    try:
        pydantic_core.from_json(raw, allow_inf_nan=False)
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or depth(cast("object", value)) > DEEPEST:
        return None
    return cast("dict[str, Any]", value)


def depth(value: object) -> int:
    """How many levels there are."""
    if isinstance(value, dict):
        inside: list[object] = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inside = cast("list[object]", value)
    else:
        return 1
    return 1 + max((depth(each) for each in inside), default=0)


@lru_cache(maxsize=100)
def body_validator(route: str) -> tuple[jsonschema_rs.Validator, bool] | None:
    """The schema of the route's body, and whether it is needed; None where there is no body."""
    document = closed_document()
    asked = operation(document, route).get("requestBody")
    if asked is None:
        return None
    schema = {**asked["content"][JSON]["schema"], "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema), bool(asked["required"])


def refuses_body(route: str, raw: bytes) -> bool:
    """The document says that no such body is taken there."""
    found = body_validator(route)
    if found is None:
        return False
    checker, is_needed = found
    if not raw.strip():
        return is_needed
    members = read_body(raw)
    if members is None:
        return True
    for name in PEOPLES.intersection(members):
        # Blanks around a text for people are not part of it, and do not count.
        members[name] = members[name].strip() if isinstance(members[name], str) else members[name]
    try:
        return not checker.is_valid(members)
    except (ValueError, OverflowError):
        return False


@lru_cache(maxsize=1000)
def parameter_validators(route: str, where: str) -> dict[str, jsonschema_rs.Validator]:
    """The schemas of the route's path variables, query members or headers."""
    document = closed_document()
    given = [follow(document, each) for each in operation(document, route)["parameters"]]
    return {
        str(each["name"]): jsonschema_rs.Draft202012Validator(each["schema"], validate_formats=True)
        for each in given
        if each["in"] == where
    }


def refuses_path(route: str, path: Mapping[str, str]) -> bool:
    """The document says that there is nothing at such a path."""
    checkers = parameter_validators(route, "path")
    return any(not checker.is_valid(path.get(name, "")) for name, checker in checkers.items())


def refuses_key(route: str, key: str | None) -> bool:
    """The document says that such an Idempotency-Key is not taken."""
    checker = parameter_validators(route, "header").get("Idempotency-Key")
    return checker is not None and key is not None and not checker.is_valid(key)
