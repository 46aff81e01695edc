"""What the routes of top-ups and promo codes answer."""

from __future__ import annotations

from local.openapi.parts import BALANCE, KEY, PRICE
from local.openapi.schemas import (
    AMOUNT,
    COUNT,
    FLAG,
    MOMENT,
    TEXT,
    Schema,
    choice,
    or_null,
    record,
    ref,
    rows,
    said,
)
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.domain.top_ups import FAILURES, QUARANTINED, Hindrance

BILLING_ANSWERS: dict[str, Schema] = {
    "TopUpRule": record(
        pack=TEXT,
        below=said(AMOUNT, "The pack is bought when less than this is available"),
        most_purchases=said(COUNT, "How many in a calendar month of the account's zone"),
        monthly_cap=said(or_null(PRICE), "What a month may cost; null: no cap"),
        price=said(PRICE, "What was agreed to: a card is never charged more for the pack"),
        currency=TEXT,
        on=FLAG,
        return_url=or_null(TEXT),
    ),
    "TopUp": record(
        account=TEXT,
        top_up={"anyOf": [ref("TopUpRule"), {"type": "null"}]},
        is_active=said(FLAG, "The rule is on, and was not turned off by itself"),
        off_reason=or_null(choice(FAILURES, QUARANTINED)),
        hindrance=said(or_null(choice(*Hindrance)), "Why nothing is bought now; null: nothing"),
        has_customer=said(FLAG, "The account is known as a customer at Stripe"),
        is_disputed=said(FLAG, "A payment is disputed, so no card is charged"),
        failures=said(COUNT, "How many failed in a row; three turn the rule off"),
        failure=said(or_null(TEXT), "Why the last one failed, in Stripe's words"),
        month=said(or_null(TEXT), "The month that `purchases` and `spent` count"),
        purchases=COUNT,
        spent=or_null(PRICE),
        pending={"anyOf": [ref("PendingTopUp"), {"type": "null"}]},
        last_at=or_null(MOMENT),
        available=BALANCE["available"],
    ),
    "PendingTopUp": record(
        purchase_id=TEXT,
        status=choice(*PurchaseStatus),
        action_url=said(or_null(TEXT), "Where the customer confirms the payment, if that is asked"),
    ),
    "TopUpChanged": record(key=KEY, top_up=ref("TopUpRule"), **BALANCE),
    "TopUpUnchanged": record(
        changed=said({"const": False}, "The rule was as asked for already"),
        top_up=ref("TopUpRule"),
        available=AMOUNT,
        seq=COUNT,
    ),
    "PromoCode": record(
        code=TEXT,
        credits=AMOUNT,
        reason=TEXT,
        is_active=said(FLAG, "Nobody ended it"),
        redemptions=said(COUNT, "How many accounts redeemed it"),
        most_redemptions=said({"type": ["integer", "null"], "minimum": 1}, "null: no bound"),
        expires_at=or_null(MOMENT),
        grant_days=said({"type": ["integer", "null"], "minimum": 1}, "null: the credits stay"),
        plans=said(rows(TEXT), "For accounts on these; empty: on any"),
        created_at=MOMENT,
        created_by=TEXT,
    ),
    "PromoCodes": record(
        codes=rows(ref("PromoCode")),
        next_cursor=said(or_null(TEXT), "The `cursor` of the next page; null on the last one"),
    ),
}
