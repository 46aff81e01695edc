"""docs/openapi.json is what the code says, a valid OpenAPI 3.1 document, and complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from local.openapi import document as building
from local.openapi.__main__ import DOCUMENT, write_document
from local.openapi.document import BEARER, build_document
from local.openapi.requests import MEMBERS, body_schema
from local.openapi.routes import FACTS, NEEDED
from tests.support.contract import closed_document, follow, operation, read_document
from tests.support.hostile import BAD
from tests.support.requests import ASKS, Asks
from tollkeeper.edge import bodies
from tollkeeper.edge.problems import PROBLEMS
from tollkeeper.edge.routes import API_ROUTES, SIGNATURE, Route


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == write_document(), "run: make docs"


def test_the_document_is_valid_openapi_3_1() -> None:
    jsonschema_rs.validate(OPENAPI_31, read_document())


def test_every_schema_in_it_is_a_valid_json_schema() -> None:
    schemas = read_document()["components"]["schemas"]
    for name, schema in schemas.items():
        whole = {**schema, "components": {"schemas": schemas}}
        jsonschema_rs.meta.validate(whole)
        jsonschema_rs.Draft202012Validator(whole)
        assert name[0].isupper()


def references(value: object) -> Iterator[str]:
    """Every $ref below."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if isinstance(members.get("$ref"), str):
            yield str(members["$ref"])
        for each in members.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from references(each)


def test_every_component_is_used_and_every_reference_leads_somewhere() -> None:
    document = read_document()
    used = set(references(document))

    for reference in used:
        assert follow(document, {"$ref": reference}), reference
    for room in ("schemas", "parameters", "headers", "responses"):
        for name in document["components"][room]:
            assert f"#/components/{room}/{name}" in used, (room, name)


def test_every_route_is_there_once_with_a_name_of_its_own() -> None:
    paths = read_document()["paths"]
    found = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}

    assert found == set(API_ROUTES) == set(FACTS)
    names = [operation(read_document(), key)["operationId"] for key in API_ROUTES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)


def test_a_route_that_nobody_described_stops_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(building.API_ROUTES, "GET /v1/new", Route("new", "read"))

    with pytest.raises(KeyError, match=r"GET /v1/new needs a row in local/openapi/routes\.py"):
        build_document()


def test_a_member_that_nobody_described_stops_the_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(MEMBERS, "reason")

    with pytest.raises(KeyError, match="'reason' needs a sentence"):
        body_schema(bodies.VoidBody)


def test_a_schema_that_nobody_wrote_stops_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(building.answers.ANSWERS, "Allowed")

    with pytest.raises(KeyError, match="Allowed needs a schema"):
        build_document()


@pytest.mark.parametrize("route_key", API_ROUTES)
def test_a_route_says_what_it_reads(route_key: str) -> None:
    document, asks = read_document(), ASKS[route_key]
    said = operation(document, route_key)
    parameters = [follow(document, each) for each in said["parameters"]]
    by_place = {(each["in"], each["name"]): each for each in parameters}

    assert {name for place, name in by_place if place == "path"} == set(asks.path)
    assert {name for place, name in by_place if place == "query"} == set(asks.query) - {"unknown"}
    key = by_place.get(("header", "Idempotency-Key"))
    assert bool(key and key["required"]) == asks.is_keyed == (FACTS[route_key].key == NEEDED)
    assert FACTS[route_key].body is asks.model
    if asks.model is not None:
        body = said["requestBody"]
        assert body["required"] is not asks.may_be_empty
        assert "examples" in body["content"]["application/json"] or not asks.good, route_key


@pytest.mark.parametrize("route_key", API_ROUTES)
def test_a_route_says_who_may_call_it(route_key: str) -> None:
    route, said = API_ROUTES[route_key], operation(read_document(), route_key)
    needed = [] if route.scope == SIGNATURE else [{BEARER: [route.scope]}]

    assert said["security"] == needed + ([{}] if route.asks_itself else [])
    assert route.scope in said["description"]


def test_the_security_scheme_names_every_scope_with_its_routes() -> None:
    text = read_document()["components"]["securitySchemes"][BEARER]["description"]

    for route_key, route in API_ROUTES.items():
        row = next((r for r in text.splitlines() if r.startswith(f"- `{route.scope}`:")), "")
        assert (f"`{route_key}`" in row) == (route.scope != SIGNATURE), route_key


def test_every_code_is_the_answer_of_some_route_at_its_own_status() -> None:
    document = read_document()
    seen: set[str] = set()
    for route_key in API_ROUTES:
        for status, answer in operation(document, route_key)["responses"].items():
            problem = follow(document, answer).get("content", {}).get("application/problem+json")
            for reference in references(problem["schema"] if problem else None):
                members = follow(document, {"$ref": reference})["properties"]
                if "code" in members:
                    assert members["status"] == {"const": int(status)}
                    seen.add(members["code"]["const"])

    assert seen == set(PROBLEMS)


def shown_examples() -> Iterator[tuple[str, dict[str, Any], object]]:
    """Every example in the document, with the schema that it is an example of."""
    document = closed_document()
    for route_key in API_ROUTES:
        said = operation(document, route_key)
        places = [follow(document, each) for each in said["responses"].values()]
        for place in [said.get("requestBody", {}), *places]:
            for content in place.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    yield route_key, content["schema"], example["value"]
        for each in said["parameters"]:
            parameter = follow(document, each)
            if "example" in parameter:
                yield route_key, parameter["schema"], parameter["example"]


def test_every_example_is_one() -> None:
    components = closed_document()["components"]
    shown = list(shown_examples())
    for route_key, schema, example in shown:
        checker = jsonschema_rs.Draft202012Validator({**schema, "components": components})
        errors = [error.message for error in checker.iter_errors(example)]
        assert not errors, (route_key, errors, example)

    assert len(shown) > 50


@pytest.mark.parametrize("route_key", [key for key, asks in ASKS.items() if asks.model])
def test_the_schema_takes_a_good_body_and_refuses_what_a_schema_can_refuse(route_key: str) -> None:
    """What it refuses, the route refuses: test_hostile.py sends each of these texts."""
    asks = ASKS[route_key]
    assert asks.model is not None
    checker = jsonschema_rs.Draft202012Validator(body_schema(asks.model))

    assert checker.is_valid(json.loads(asks.raw()))
    assert not checker.is_valid({**json.loads(asks.raw()), "surprise": 1})
    assert not checker.is_valid([])
    for name, text in wrong_types(asks):
        body = json.loads(asks.raw(**{name: text}))
        assert not checker.is_valid(body), (route_key, name, text)


def wrong_types(asks: Asks) -> Iterator[tuple[str, str]]:
    """Each member with the texts of the wrong type."""
    for name, kind in asks.members.items():
        for text in BAD[kind]:
            if text in ("[]", "true", "0", "{}") and not (kind == "usage" and text == "{}"):
                yield name, text


def test_no_sentence_about_a_member_is_left_over() -> None:
    document = read_document()
    models = {each for facts in FACTS.values() for each in (facts.body, facts.query) if each}
    fields = [(body, name, field) for body in models for name, field in body.model_fields.items()]
    said = {name for _, name, _ in fields}
    said |= {f"{body.__name__}.{field.alias or name}" for body, name, field in fields}
    for route_key in API_ROUTES:
        for each in operation(document, route_key)["parameters"]:
            said.add(follow(document, each)["name"])

    assert set(MEMBERS) <= said
