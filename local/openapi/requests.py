"""What routes read: bodies and queries as the code's own types say, path variables and headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from local.openapi.schemas import Schema, said
from tollkeeper.domain.cases import CASE_ID
from tollkeeper.domain.entries import ID_PATTERN
from tollkeeper.domain.money import LARGEST_MICROCREDITS, LONGEST_AMOUNT, MICRO
from tollkeeper.domain.purchases import PURCHASE_ID
from tollkeeper.edge import members
from tollkeeper.edge.report_bodies import ID_PART, MOST_ACCOUNTS, USUAL_ACCOUNTS
from tollkeeper.edge.top_up_bodies import CODE, CodeText

LARGEST = LARGEST_MICROCREDITS // MICRO
ID = ID_PATTERN.pattern


def whole(pattern: str) -> str:
    """The pattern for the whole of a text, in the words that every JSON library knows."""
    return f"^{pattern}$".replace(r"\d", "[0-9]")


def _validator(annotated: object) -> Callable[..., object]:
    return cast("Callable[..., object]", get_args(annotated)[1].func)


DIGITS = r"^{}[0-9]+(\.[0-9]+)?$"
SHORT = {"type": "string", "maxLength": LONGEST_AMOUNT}
A_DAY: Schema = {"type": "string", "format": "date", "pattern": whole(members.DAY.pattern)}
# What a function decides, put as a schema: nothing that the function takes is left out.
BY_FUNCTION: dict[Callable[..., object], Schema] = {
    _validator(members.Micro): {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST},
            {**SHORT, "pattern": DIGITS.format("")},
        ]
    },
    _validator(members.MicroOrZero): {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": LARGEST},
            {**SHORT, "pattern": DIGITS.format("")},
        ]
    },
    _validator(members.SignedMicro): {
        "anyOf": [
            {"type": "number", "minimum": -LARGEST, "maximum": LARGEST, "not": {"const": 0}},
            {**SHORT, "pattern": DIGITS.format("-?")},
        ]
    },
    _validator(CodeText): {"type": "string", "pattern": CODE},
    _validator(members.CallerId): {"type": "string", "pattern": whole(ID)},
    _validator(members.Account): {"type": "string", "pattern": whole(ID)},
    _validator(members.Id): {"type": "string", "pattern": whole(members.CATALOG_ID.pattern)},
    _validator(members.Moment): {
        "type": "string",
        "format": "date-time",
        "pattern": whole(members.MOMENT.pattern),
    },
    _validator(members.Day): A_DAY,
    _validator(members.Metadata): {"type": "object"},
}

MEMBERS = {
    "account": "Who pays: your own user's or organisation's id",
    "alert_thresholds": "Percentages of a limit that tell you, ascending; null: the catalog's",
    "amount": "Credits: a number, or a text of digits, with at most six decimals",
    "anchor": "A day from whose day of the month periods count",
    "at": "When the change happens",
    "bucket": "What a row spans",
    "budget": "The id of an account of its own that this one funds",
    "cancel_url": "Where the customer goes who does not pay; on an allowed origin",
    "daily": "What may be spent in a day of the account's zone; null: no limit",
    "cursor": "The `next_cursor` of the page before",
    "effective_at": "From when the credits count; absent: now",
    "estimate": "What you expect it to cost, in credits; instead of usage or quantity",
    "expires_at": "Until when it counts; absent: for ever",
    "expires_in_s": "How long the hold stays open: 1 second to 24 hours",
    "TokenBody.account": "Whose account the token opens",
    "TokenBody.expires_in_s": "How long the token is good: 1 minute to 1 hour",
    "feature": "A label for stats, at most 64 bytes",
    "final": "false: a part of a long run is charged, and the hold stays open with the rest",
    "from": "The first day, in the account's zone; absent: 30 days in all",
    "group_by": "What rows are told apart by besides",
    "hold_id": "Your own id for the hold, which is its key; absent: the Idempotency-Key",
    "key": "The key of the charge",
    "kind": "What the credits are; `pack` was paid for elsewhere",
    "limit": "How many rows",
    "HistoryQuery.limit": "How many rows; at most 200 as JSON, 5,000 as CSV",
    "low_balance": "The balance at which the account is low; null: the catalog's",
    "metadata": "Anything of yours that the ledger keeps, at most 4 KB",
    "model": "The model's name; absent: the one that the provider's answer names",
    "monthly": "What may be spent in a month of the account's zone; null: no limit",
    "name": "For people",
    "occurred_at": "When the run was",
    "operation": "What ran: an id of the catalog",
    "pack": "An id of the catalog",
    "per_run_max": "What one run may cost; null: no limit",
    "plan": "An id of the catalog",
    "priority": "Lower is drawn from first",
    "quantity": "How many units: minutes, messages, documents; absent: 1",
    "quote_id": "As an estimate gave it: its prices hold until it expires",
    "reason": "Why; the ledger keeps it",
    "response_time_ms": "How long it took; may differ between two tries with one key",
    "role": "The plan by a role of the catalog, instead of `plan`",
    "scopes": "What the key may do",
    "service": "The provider, at most 64 bytes",
    "set_by": "Whose limits they are; the tighter ones hold",
    "subtype": "A label for stats, at most 64 bytes",
    "success": "false records that the run failed, and charges nothing",
    "success_url": "Where the customer goes who paid; on an allowed origin",
    "to": "The last day",
    "usage": "Tokens by pool, or the provider's usage object, or its whole answer",
    "provider": "Whose rates apply: `openai`, `anthropic`, …; absent: what model and usage say",
    "service_tier": "How the provider ran it; absent: what the usage says",
    "resource": "What the run took of a machine, where its operation is priced by that",
    "zone": "An IANA time zone such as Europe/Berlin",
    "below": "The pack is bought when less than this is available",
    "most_purchases": "How many may be bought in a calendar month of the account's zone",
    "monthly_cap": "What a month may cost, in the pack's currency; absent: no cap",
    "on": "false: nothing is bought",
    "return_url": "Where a customer goes who confirmed a payment; on an allowed origin",
    "code": "3 to 40 letters, digits and `-`; case does not matter",
    "credits": "What it gives",
    "most_redemptions": "How many accounts may redeem it; absent: no bound",
    "grant_days": "For how many days its credits count; absent: for ever",
    "plans": "For accounts on these plans alone; absent: on any",
    "PortalBody.return_url": "Where the customer goes afterwards; on an allowed origin",
    "CheckoutBody.pack": "An id of the catalog; or `plan`, and not both",
    "CheckoutBody.plan": "An id of the catalog, of a plan with a price; or `pack`, and not both",
    "disputes": "cleared: the card may be charged again after disputes; scope admin",
    "save_card": "true: the card may be charged later without the customer, as a top-up does",
    "features": "The features that your auth provider says the user has",
    "action": "`grant` gives the credits, `dismiss` puts the case aside",
    "RefundPurchaseBody.amount": "Money in the currency's main unit; absent: all that is left",
    "ReleaseCaseBody.account": "Who gets the credits; only where no purchase waits for them",
    "ReleaseCaseBody.credits": "How many; only where no purchase waits for them",
    "UsageQuery.from": "The first day; absent: 30 days in all",
    "CustomersQuery.from": "The first day; absent: 30 days in all",
    "prefix": "How the ids begin; absent: all",
    "SearchQuery.limit": "How many accounts",
    "ReconcileBody.from": "From when on; what was made earlier and may have changed counts, too",
    "ReconcileBody.to": "Until when",
    "ReconcileBody.cursor": "The `next_cursor` of the answer before, for the same range",
}

RESOURCE = {
    "cpu_ms": "Milliseconds of processors",
    "mem_mb": "Megabytes of 10^6 bytes, for `duration_ms`",
    "duration_ms": "How long it ran, in milliseconds",
}


class Generator(GenerateJsonSchema):
    """Pydantic's generator, which is told what our own functions take."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Schema:
        """The function's schema. Raises: KeyError for a function that has no row above."""
        function = cast("Callable[..., object]", schema["function"]["function"])
        if function not in BY_FUNCTION:
            name = getattr(function, "__name__", function)
            raise KeyError(f"{name} needs a row in local/openapi/requests.py: BY_FUNCTION")
        return dict(BY_FUNCTION[function])


def body_schema(model: type[BaseModel]) -> Schema:
    """The body's schema: closed, each member with a sentence."""
    schema = model.model_json_schema(schema_generator=Generator)
    inner = {f"#/$defs/{name}": each for name, each in schema.get("$defs", {}).items()}
    own = {name: f"{model.__name__}.{name}" for name in _properties(schema)}
    said_as = {name: key if key in MEMBERS else name for name, key in own.items()}
    members = {
        name: _member(said_as[name], each, inner) for name, each in _properties(schema).items()
    }
    required = {"required": schema["required"]} if "required" in schema else {}
    return {
        "type": "object",
        "description": (model.__doc__ or "").strip(),
        **required,
        "additionalProperties": False,
        "properties": members,
    }


def _properties(schema: Schema) -> dict[str, Schema]:
    return cast("dict[str, Schema]", schema["properties"])


def _member(name: str, schema: Schema, inner: Mapping[str, Schema]) -> Schema:
    if name not in MEMBERS:
        raise KeyError(f"{name!r} needs a sentence in local/openapi/requests.py: MEMBERS")
    kept = _plain(schema)
    if "anyOf" in kept:
        kept["anyOf"] = [_inline(each, inner) for each in kept["anyOf"]]
    return said(kept, MEMBERS[name])


def _plain(schema: Schema) -> Schema:
    """The schema without what pydantic says for itself."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    if kept.get("default", ...) is None:
        del kept["default"]
    return kept


def _inline(schema: Schema, inner: Mapping[str, Schema]) -> Schema:
    """An object of its own is said where it stands, each of its members with a sentence."""
    found = inner.get(schema.get("$ref", ""))
    if found is None:
        return schema
    members = {
        name: said(_plain(each), RESOURCE[name]) for name, each in _properties(found).items()
    }
    return {"type": "object", "additionalProperties": False, "properties": members}


ROWS: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": members.MOST_ROWS,
    "default": members.USUAL_ROWS,
}
# A query has only texts: what the code makes of them is said here.
QUERIES: dict[str, Schema] = {
    "limit": ROWS,
    "HistoryQuery.limit": {"type": "integer", "minimum": 1, "maximum": members.MOST_CSV_ROWS},
    "cursor": {"type": "string", "pattern": "^[0-9]{1,15}$"},
    "CustomersQuery.from": A_DAY,
    "CustomersQuery.to": A_DAY,
    "SearchQuery.limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_ACCOUNTS,
        "default": USUAL_ACCOUNTS,
    },
    "SearchQuery.prefix": {"type": "string", "pattern": ID_PART},
    "SearchQuery.cursor": {"type": "string", "pattern": ID_PART},
    "CodesQuery.cursor": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "PurchasesQuery.cursor": {"type": "string", "pattern": whole(PURCHASE_ID.pattern)},
    "QuarantineQuery.cursor": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,700}$"},
}


def query_parameters(model: type[BaseModel]) -> list[Schema]:
    """The members of a query as parameters."""
    found: list[Schema] = []
    for name, field in model.model_fields.items():
        wire = field.alias or name
        own = f"{model.__name__}.{wire}"
        schema = QUERIES.get(own) or QUERIES.get(wire) or _without_null(model, wire)
        description = MEMBERS.get(own) or MEMBERS[wire]
        found.append({"name": wire, "in": "query", "description": description, "schema": schema})
    return found


def _without_null(model: type[BaseModel], name: str) -> Schema:
    """A member of a query is absent, never null."""
    schema = _properties(model.model_json_schema(schema_generator=Generator))[name]
    parts: list[Schema] = schema.get("anyOf", [schema])
    (only,) = [part for part in parts if part.get("type") != "null"]
    default = {} if schema.get("default") is None else {"default": schema["default"]}
    return {key: value for key, value in only.items() if key != "title"} | default


def parameter(name: str, where: str, description: str, pattern: str, **facts: Any) -> Schema:
    """A path variable or a header."""
    return {
        "name": name,
        "in": where,
        "required": True,
        "description": description,
        **facts,
        "schema": {"type": "string", "pattern": pattern},
    }


SYSTEM_KEY = r"[sth]~[A-Za-z0-9_.:@|+~-]{1,200}"
KEY_SAID = "One for each thing that happened; the same for every try, and the ledger row's for ever"
PARAMETERS: dict[str, Schema] = {
    "id": parameter(
        "id", "path", MEMBERS["account"] + "; percent-encoded", whole(ID), example="user_1"
    ),
    "key": parameter(
        "key",
        "path",
        "The key of an entry: your own, or one of the system's as history shows it",
        whole(f"((c~)?{ID}|{SYSTEM_KEY})"),
        example="msg_812",
    ),
    "hold_id": parameter(
        "hold_id", "path", "The hold's id; percent-encoded", whole(ID), example="call_7"
    ),
    "budget": parameter(
        "budget", "path", MEMBERS["budget"] + "; percent-encoded", whole(ID), example="team_1"
    ),
    "key_id": parameter(
        "key_id", "path", "A key's `key_id`", "^[!-~]{1,200}$", example="cfef95cf1f6b"
    ),
    "code": parameter("code", "path", MEMBERS["code"], "^[A-Za-z0-9-]{3,40}$", example="WELCOME"),
    "case": parameter(
        "case",
        "path",
        "As the list of cases names it",
        whole(CASE_ID.pattern),
        example="case_9f86d081884c7d659a2feaa0c55ad015",
    ),
    "purchase_id": parameter(
        "purchase_id",
        "path",
        "As checkout answered it",
        whole(PURCHASE_ID.pattern),
        example="pur_f86298e93dd59c776342f657b7a00a44",
    ),
    "IdempotencyKey": parameter(
        "Idempotency-Key", "header", KEY_SAID, whole(ID), example="msg_812"
    ),
    "OptionalIdempotencyKey": parameter(
        "Idempotency-Key", "header", KEY_SAID + "; may be left out", whole(ID)
    )
    | {"required": False},
    "PartIdempotencyKey": parameter(
        "Idempotency-Key", "header", "Needed where `final` is false, else not read", ""
    )
    | {"required": False, "schema": {"type": "string"}},
    "IfNoneMatch": parameter(
        "If-None-Match",
        "header",
        "The `ETag` of the last answer; where nothing changed, 304 comes without a body",
        "",
    )
    | {"required": False, "schema": {"type": "string"}},
    "StripeSignature": parameter(
        "Stripe-Signature",
        "header",
        "The time, and HMACs of the raw body with the endpoint's secret",
        "^[ -~]{1,4096}$",
        example="t=1795176000,v1=5257a869e7ecebeda32affa62cdca3fa",
    ),
}

STRIPE_EVENT: Schema = {
    "type": "object",
    "description": "An event as Stripe sends it; members that are not read may be any.",
    "required": ["id", "object", "type"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,255}$"},
        "object": {"type": "string", "enum": ["event", "v2.core.event"]},
        "type": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}
