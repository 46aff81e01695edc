"""What the document says about the routes of top-ups and promo codes."""

from __future__ import annotations

from local.openapi.facts import BUYING, NEEDED, OPERATORS, OPTIONAL, READING, Facts
from tollkeeper.edge import top_up_bodies as bodies

BILLING_FACTS: dict[str, Facts] = {
    "GET /v1/accounts/{id}/top-up": Facts(
        operation="readTopUp",
        tag=READING,
        summary="The rule by which the account tops itself up, and what became of it",
        answers={200: ("TopUp",)},
        codes=("not_found",),
    ),
    "PUT /v1/accounts/{id}/top-up": Facts(
        operation="putTopUp",
        tag=BUYING,
        summary="The account buys this pack by its saved card when it runs low",
        notes="It replaces the rule whole, and turns on one that was turned off by itself.",
        answers={200: ("TopUpChanged", "TopUpUnchanged")},
        codes=("account_closed", "forbidden"),
        body=bodies.TopUpBody,
        key=OPTIONAL,
        has_balance=True,
    ),
    "POST /v1/accounts/{id}/redeem": Facts(
        operation="redeemCode",
        tag=BUYING,
        summary="Credits of a promo code, once per account",
        answers={201: ("Granted",)},
        codes=(
            "unknown_code",
            "code_used",
            "code_exhausted",
            "code_expired",
            "code_not_for_plan",
            "grant_limit",
            "account_frozen",
            "account_closed",
        ),
        body=bodies.RedeemBody,
        key=NEEDED,
        has_balance=True,
    ),
    "POST /v1/codes": Facts(
        operation="makeCode",
        tag=OPERATORS,
        summary="Make a promo code",
        answers={201: ("PromoCode",)},
        codes=("code_exists",),
        body=bodies.CodeBody,
        key=NEEDED,
    ),
    "GET /v1/codes": Facts(
        operation="listCodes",
        tag=OPERATORS,
        summary="All promo codes, by name",
        answers={200: ("PromoCodes",)},
        query=bodies.CodesQuery,
    ),
    "DELETE /v1/codes/{code}": Facts(
        operation="endCode",
        tag=OPERATORS,
        summary="End a promo code; what it gave stays",
        answers={200: ("PromoCode",)},
        codes=("unknown_code",),
    ),
}
