"""The document: every route of the API with what it reads and answers, and who may call it."""

from __future__ import annotations

import re
from typing import Any

from local.openapi import answers, parts, problems
from local.openapi.examples import Examples, read_examples
from local.openapi.requests import PARAMETERS, STRIPE_EVENT, body_schema, query_parameters
from local.openapi.routes import FACTS, FOR_PARTS, NEEDED, OPTIONAL, Facts
from local.openapi.schemas import Schema, ref
from tollkeeper import __version__
from tollkeeper.edge.csv_export import COLUMNS
from tollkeeper.edge.etags import KEPT, is_marked
from tollkeeper.edge.problems import PROBLEMS
from tollkeeper.edge.routes import API_ROUTES, SIGNATURE, Route

BEARER = "serviceKey"
PROBLEM_JSON = "application/problem+json"
JSON = "application/json"
# What API Gateway answers by itself, with a message and no problem.
GATEWAY = (400, 401, 403, 404, 413, 429, 500, 503)
PHRASES = {
    200: "The answer.",
    201: "What was made.",
    304: "As the request already has it; there is no body.",
    429: "Too many requests; send it again later.",
}
TAGS = {
    "Charging": "Before a call and after it",
    "Budgets": "Accounts that another account funds: teams, members, an agent's run",
    "Reading": "Balance, history and stats",
    "Operators": "What your own staff and back office do",
    "Buying": "Packs, checkout and purchases",
}
KEYS = {
    NEEDED: "IdempotencyKey",
    OPTIONAL: "OptionalIdempotencyKey",
    FOR_PARTS: "PartIdempotencyKey",
}
# Refusals and failures that many routes share: their status, their codes and their name.
SHARED: dict[tuple[int, tuple[str, ...]], str] = {
    (401, ("unauthorized",)): "Unauthorized",
    (403, ("forbidden",)): "Forbidden",
    (404, ("not_found",)): "NotFound",
    (413, ("too_large",)): "TooLarge",
    (429, ()): "TooManyRequests",
    (500, ("internal", "ledger_corrupt", "catalog")): "Failed",
    (503, ("busy",)): "Busy",
}
HEADERS: dict[str, Schema] = {
    "CreditsAvailable": {
        "description": "The balance after this. Ignore one with a lower seq than one you saw; "
        "a replay has none.",
        "schema": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,6})?;seq=[0-9]+$"},
    },
    "IdempotencyReplayed": {
        "description": "There where the key was applied before: this is its first answer.",
        "schema": {"type": "string", "const": "true"},
    },
    "RetryAfter": {
        "description": "Seconds after which the same request with the same key may be sent.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "ETag": {
        "description": "The answer's own mark; sent back as `If-None-Match`, it spares the body.",
        "schema": {"type": "string", "pattern": '^(W/)?"[A-Za-z0-9_-]{22}"$'},
    },
    "Link": {
        "description": 'The next page: `<…>; rel="next"`.',
        "schema": {"type": "string", "pattern": '^<[!-~]+>; rel="next"$'},
    },
}
ABOUT = """Prepaid credits for AI products, charged exactly once. docs/api.md explains it.

Send the same request with the same `Idempotency-Key` after a 503 or a lost answer: it happens once.
Amounts are exact decimals. Errors are RFC 9457 problems whose `code` is stable; API Gateway's own
are `{"message": "…"}`. Answers may get further members; requests may have no others."""


def build_document() -> Schema:
    """The whole document. Raises: KeyError for a route or member that nobody described."""
    examples = read_examples()
    paths: dict[str, Any] = {}
    for route_key, route in API_ROUTES.items():
        if route_key not in FACTS:
            raise KeyError(f"{route_key} needs a row in local/openapi/routes.py: FACTS")
        method, path = route_key.split(" ")
        facts = FACTS[route_key]
        paths.setdefault(path, {})[method.lower()] = _operation(
            route_key, route, facts, _examples_of(route_key, examples)
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tollkeeper",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/", "description": "The stack's output ApiUrl"},
            {"url": "http://127.0.0.1:8080", "description": "make run"},
        ],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": _components(),
    }


def _examples_of(route_key: str, examples: dict[str, Examples]) -> Examples:
    """The route's own, or bodies of a route that reads the same."""
    own = examples.get(route_key, Examples())
    if own.bodies:
        return own
    same = [key for key, facts in FACTS.items() if facts.body is FACTS[route_key].body]
    borrowed = [examples[key].bodies for key in same if key in examples and examples[key].bodies]
    return Examples(borrowed[0], own.answers) if borrowed else own


def _components() -> Schema:
    bodies = {f.body.__name__: body_schema(f.body) for f in FACTS.values() if f.body is not None}
    return {
        "schemas": dict(
            sorted(
                {
                    **bodies,
                    "StripeEvent": STRIPE_EVENT,
                    **parts.PARTS,
                    **answers.ANSWERS,
                    **problems.problem_schemas(),
                }.items()
            )
        ),
        "parameters": PARAMETERS,
        "responses": {
            name: _bad_answer(status, list(codes), []) for (status, codes), name in SHARED.items()
        },
        "headers": HEADERS,
        "securitySchemes": {
            BEARER: {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "tk_live_<id>_<secret>, tkc_live_... or your app's own OIDC token",
                "description": _describe_scopes(),
            }
        },
    }


def _describe_scopes() -> str:
    """Every scope with the routes that it opens."""
    own = ", ".join(f"`{key}`" for key, route in API_ROUTES.items() if route.is_own)
    lines = [
        "A service key, or the token of an account's user: minted by `POST /v1/tokens`, or the "
        f"app's own. A user's token opens, for the own account alone: {own}. There `me` is the "
        "own account, and bodies may leave `account` out.\n",
        "A key's scopes open these routes:\n",
    ]
    scopes = sorted({route.scope for route in API_ROUTES.values() if route.scope != SIGNATURE})
    for scope in scopes:
        routes = [key for key, route in API_ROUTES.items() if route.scope == scope]
        opened = ", ".join(f"`{key}`" for key in routes)
        lines.append(f"- `{scope}`: {opened}")
    return "\n".join(lines)


def _operation(route_key: str, route: Route, facts: Facts, examples: Examples) -> Schema:
    method = route_key.partition(" ")[0]
    asks = _request_body(route_key, facts, examples)
    needs = "a signature" if route.scope == SIGNATURE else f"the scope `{route.scope}`"
    return {
        "operationId": facts.operation,
        "tags": [facts.tag],
        "summary": facts.summary,
        "description": " ".join(text for text in (facts.notes, f"Needs {needs}.") if text),
        "security": _security(route),
        "parameters": _parameters(route_key, facts),
        **({"requestBody": asks} if asks and method != "GET" else {}),
        "responses": _responses(route_key, route, facts, examples),
    }


def _security(route: Route) -> list[Schema]:
    """Who gets in; an empty requirement where the catalog may open the route to everybody."""
    if route.scope == SIGNATURE:
        return []
    needed: list[Schema] = [{BEARER: [route.scope]}]
    return [*needed, {}] if route.asks_itself else needed


def _parameters(route_key: str, facts: Facts) -> list[Schema]:
    names = re.findall(r"\{(\w+)\}", route_key)
    if facts.key in KEYS:
        names.append(KEYS[facts.key])
    if API_ROUTES[route_key].scope == SIGNATURE:
        names.append("StripeSignature")
    if is_marked(route_key):
        names.append("IfNoneMatch")
    for name in names:
        if name not in PARAMETERS:
            raise KeyError(f"{name!r} needs a row in local/openapi/requests.py: PARAMETERS")
    found: list[Schema] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    return found + (query_parameters(facts.query) if facts.query else [])


def _request_body(route_key: str, facts: Facts, examples: Examples) -> Schema | None:
    if API_ROUTES[route_key].scope == SIGNATURE:
        return {"required": True, "content": {JSON: {"schema": ref("StripeEvent")}}}
    if facts.body is None:
        return None
    content: Schema = {"schema": ref(facts.body.__name__)}
    members = {field.alias or name for name, field in facts.body.model_fields.items()}
    fit = [body for body in examples.bodies if set(body) <= members]
    if fit:
        content["examples"] = _numbered(fit)
    return {"required": not facts.may_be_empty, "content": {JSON: content}}


def _numbered(values: list[Any]) -> Schema:
    """Examples, each once."""
    different = [each for at, each in enumerate(values) if each not in values[:at]]
    return {f"example{number}": {"value": each} for number, each in enumerate(different, 1)}


def _responses(route_key: str, route: Route, facts: Facts, examples: Examples) -> Schema:
    found: dict[int, Schema] = {}
    for status, names in facts.answers.items():
        found[status] = _good_answer(status, names, facts, examples)
    if is_marked(route_key):
        own = {"ETag": {"$ref": "#/components/headers/ETag"}}
        found[200]["headers"] = {**found[200].get("headers", {}), **own}
        headers = found[200]["headers"]
        kept = {name: each for name, each in headers.items() if name.lower() in KEPT}
        found[304] = {"description": PHRASES[304], "headers": kept}
    codes = _codes(route_key, route, facts)
    for status in sorted({PROBLEMS[code].status for code in codes} | {429}):
        same = [code for code in PROBLEMS if code in codes and PROBLEMS[code].status == status]
        shared = SHARED.get((status, tuple(same)))
        shown = examples.answers.get(status, [])
        if shared and not shown:
            found[status] = {"$ref": f"#/components/responses/{shared}"}
        else:
            found[status] = _bad_answer(status, same, shown)
    return {str(status): found[status] for status in sorted(found)}


def _codes(route_key: str, route: Route, facts: Facts) -> set[str]:
    """What the route can refuse with: its own codes, and what follows from what it reads."""
    codes = {*facts.codes, "internal", "ledger_corrupt", "catalog", "busy"}
    if route.scope != SIGNATURE:
        codes |= {"unauthorized", "forbidden"}
    if facts.body is not None:
        codes |= {"malformed", "too_large", "invalid"}
    if facts.query is not None or "{id}" in route_key:
        codes.add("invalid")
    if facts.key:
        codes |= {"malformed", "idempotency_mismatch"}
    # What is encoded in a path can be no path of the API's at all.
    if "{" in route_key or route.scope == SIGNATURE:
        codes |= {"not_found", "too_large"}
    # To a user another's account is one that does not exist.
    if route.is_own and not route.asks_itself:
        codes.add("not_found")
    return codes


def _good_answer(status: int, names: tuple[str, ...], facts: Facts, examples: Examples) -> Schema:
    for name in names:
        if name not in answers.ANSWERS and name not in parts.PARTS:
            raise KeyError(f"{name} needs a schema in local/openapi/answers.py: ANSWERS")
    schema = ref(names[0]) if len(names) == 1 else {"oneOf": [ref(name) for name in names]}
    content: Schema = {JSON: {"schema": schema}}
    shown = examples.answers.get(status, [])
    if shown:
        content[JSON]["examples"] = _numbered(shown)
    headers: Schema = {}
    if facts.has_balance:
        headers["X-Credits-Available"] = {"$ref": "#/components/headers/CreditsAvailable"}
    if facts.key:
        headers["Idempotency-Replayed"] = {"$ref": "#/components/headers/IdempotencyReplayed"}
    columns = COLUMNS if facts.has_csv else facts.csv_columns
    if columns:
        content["text/csv"] = {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}
    if facts.has_csv:
        headers["Link"] = {"$ref": "#/components/headers/Link"}
    return {
        "description": PHRASES[status],
        **({"headers": headers} if headers else {}),
        "content": content,
    }


def _bad_answer(status: int, codes: list[str], shown: list[Any]) -> Schema:
    content: Schema = {}
    if codes:
        content[PROBLEM_JSON] = {"schema": problems.one_of(codes)}
        if shown:
            content[PROBLEM_JSON]["examples"] = _numbered(shown)
    if status in GATEWAY:
        content[JSON] = {"schema": ref("GatewayMessage")}
    titles = "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in codes)
    retry: Schema = {"headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}}
    return {
        "description": titles or PHRASES[status],
        **(retry if status == 503 or (codes and status == 429) else {}),
        "content": content,
    }
