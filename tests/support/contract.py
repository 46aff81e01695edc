"""Answers held against docs/openapi.json: no status, header or member that it does not name."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs

from tests.support.driving import Answered

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
# What every answer may carry, and no client needs to know.
PLAIN_HEADERS = {"content-type", "cache-control", "content-disposition"}


@lru_cache(maxsize=1)
def read_document() -> dict[str, Any]:
    """The document as it is checked in."""
    return cast("dict[str, Any]", json.loads(DOCUMENT.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def closed_document() -> dict[str, Any]:
    """The document with every object closed: what it does not name may not be there.

    Why: the one that clients read lets answers grow; what the tests see must be in it today.
    """
    return cast("dict[str, Any]", close(read_document()))


def close(value: object) -> object:
    """The same, and no object has members beyond its properties."""
    if isinstance(value, list):
        return [close(each) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    members = {name: close(each) for name, each in cast("dict[str, object]", value).items()}
    is_object = isinstance(members.get("properties"), dict) and "type" in members
    if is_object and "StripeEvent" not in str(members.get("description", "")):
        members.setdefault("additionalProperties", False)
    return members


def follow(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node, or what it refers to."""
    while "$ref" in node:
        found: Any = document
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operation(document: dict[str, Any], route_key: str) -> dict[str, Any]:
    """What the document says about the route."""
    method, path = route_key.split(" ")
    return cast("dict[str, Any]", document["paths"][path][method.lower()])


@lru_cache(maxsize=1000)
def validator(route_key: str, status: int, media_type: str) -> jsonschema_rs.Validator:
    """What the answer's body must be. Raises: KeyError for what the document does not name."""
    document = closed_document()
    answer = follow(document, operation(document, route_key)["responses"][str(status)])
    schema = answer["content"][media_type]["schema"]
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@lru_cache(maxsize=1000)
def documented_headers(route_key: str, status: int) -> dict[str, dict[str, Any]]:
    """The headers that the answer may carry, by their name in small letters."""
    document = closed_document()
    answer = follow(document, operation(document, route_key)["responses"][str(status)])
    return {
        name.lower(): follow(document, header)["schema"]
        for name, header in answer.get("headers", {}).items()
    }


def assert_documented(route_key: str, answer: Answered) -> None:
    """The answer is one that the document promises, in every member."""
    where = (route_key, answer.status, answer.text[:500])
    if answer.status == 304:
        assert not answer.text, where
        assert_headers(route_key, answer)
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    try:
        expected = validator(route_key, answer.status, media_type)
    except KeyError as missing:
        raise AssertionError(f"docs/openapi.json has no {missing} for {where}") from None
    sent = json.loads(answer.text) if "json" in media_type else answer.text
    problems = [f"{error.instance_path}: {error.message}" for error in expected.iter_errors(sent)]
    assert not problems, (problems[:3], where)
    assert_headers(route_key, answer)


def assert_headers(route_key: str, answer: Answered) -> None:
    """The answer has no header that the document does not name, and each is as it says."""
    where = (route_key, answer.status, answer.text[:500])
    named = documented_headers(route_key, answer.status)
    for name, value in answer.headers.items():
        if name not in PLAIN_HEADERS:
            assert name in named, (name, where)
            assert jsonschema_rs.is_valid(named[name], value), (name, value, where)
