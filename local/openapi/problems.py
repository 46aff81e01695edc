"""What routes answer when they refuse or fail: a schema for each code of the error table."""

from __future__ import annotations

from local.openapi.schemas import (
    AMOUNT,
    COUNT,
    MOMENT,
    TEXT,
    Schema,
    choice,
    or_null,
    partly,
    record,
    ref,
    rows,
    said,
)
from tollkeeper.edge.http import MOST_PROBLEMS
from tollkeeper.edge.problems import PROBLEMS

PARTS: dict[str, Schema] = {
    "MemberProblem": record(member=TEXT, reason=TEXT),
    "Offer": record(
        pack=TEXT, credits=AMOUNT, price=said(TEXT, "In the currency's main unit"), currency=TEXT
    ),
    "Affordable": partly(
        record(
            tokens_total=said(COUNT, "How many tokens of this model the account can pay"),
            tokens_output=said(COUNT, "How many of them the answer may have, after this input"),
            models=said(rows(TEXT), "Which models it can pay this run with"),
        ),
        "tokens_total",
        "tokens_output",
        "models",
    ),
    "PlanOffer": record(plan=TEXT, name=TEXT, allocation=AMOUNT),
    "GatewayMessage": said(record(message=TEXT), "What API Gateway itself answers."),
}
BLOCKING = (
    "balance",
    "debt",
    "feature_limit",
    "daily_limit",
    "monthly_limit",
    "per_run_max",
    "parent",
)
SHORTAGE: dict[str, Schema] = {
    "required": AMOUNT,
    "available": AMOUNT,
    "spendable": AMOUNT,
    "held": said(AMOUNT, "Set aside by open holds"),
    "level": said(choice("account", "budget", "parent"), "Whose credits or limit it is"),
    "shortfall": said(AMOUNT, "How much is missing, with debt that is paid first"),
    "blocking": choice(*BLOCKING),
    "resets_at": said(or_null(MOMENT), "When the plan gives credits, or the limit counts, again"),
    "offers": said(rows(ref("Offer")), "The cheapest pack that would cover it, else the largest"),
    "plans": said(rows(ref("PlanOffer")), "The smallest plan that would"),
    "affordable": ref("Affordable"),
}
ADDED: dict[str, dict[str, Schema]] = {
    "insufficient_credits": SHORTAGE,
    "limit_reached": {
        **SHORTAGE,
        "limit": AMOUNT,
        "spent": said(AMOUNT, "Spent in the window, and held"),
    },
    "hold_closed": {
        "hold_id": TEXT,
        "state": choice("settled", "released", "expired"),
    },
    "feature_limit": {**SHORTAGE, "feature": TEXT, "used": COUNT, "limit": COUNT},
    "invalid": {"errors": {**rows(ref("MemberProblem")), "minItems": 1, "maxItems": MOST_PROBLEMS}},
    "unknown_model": {"model": or_null(TEXT), "models": rows(TEXT)},
}


def problem_name(code: str) -> str:
    """The component's name: `insufficient_credits` is InsufficientCreditsProblem."""
    return "".join(word.capitalize() for word in code.split("_")) + "Problem"


def problem_schemas() -> dict[str, Schema]:
    """A schema for every code, exact in type, title, status and code."""
    found = dict(PARTS)
    for code, kind in PROBLEMS.items():
        found[problem_name(code)] = record(
            type={"const": f"/problems/{code}"},
            title={"const": kind.title},
            status={"const": kind.status},
            detail=said(TEXT, "A sentence for people"),
            code={"const": code},
            request_id=TEXT,
            **ADDED.get(code, {}),
        )
    return found


def one_of(codes: list[str]) -> Schema:
    """The problems that one status can be; `code` tells them apart."""
    if len(codes) == 1:
        return ref(problem_name(codes[0]))
    mapping = {code: ref(problem_name(code))["$ref"] for code in codes}
    return {
        "oneOf": [ref(problem_name(code)) for code in codes],
        "discriminator": {"propertyName": "code", "mapping": mapping},
    }
