"""What the routes of purchases, refunds and cases answer."""

from __future__ import annotations

from local.openapi.parts import BOUGHT, PRICE
from local.openapi.schemas import (
    AMOUNT,
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
from tollkeeper.domain.cases import Resolution
from tollkeeper.domain.money_back import DisputeState
from tollkeeper.domain.purchases import PurchaseStatus

CURSOR = said(or_null(TEXT), "Send it as `cursor` for the next page; null at the end")
PURCHASE: dict[str, Schema] = {
    "purchase_id": TEXT,
    **BOUGHT,
    "status": choice(*PurchaseStatus),
    "reason": or_null(TEXT),
    "created_at": MOMENT,
    "paid_at": or_null(MOMENT),
    "paid": said(PRICE, "What was paid for it itself; 0 for a plan's page, which invoices pay"),
    "refunded": said(PRICE, "How much of the money went back so far"),
    "clawed_back": said(AMOUNT, "The credits that went back with the money"),
    "uncollected": said(AMOUNT, "Of them, what nobody had any more and is not owed"),
    "lapsed": said(AMOUNT, "Of them, what had expired unspent, so nobody owes it"),
    "disputes": rows(ref("Dispute")),
}

PAYMENT_ANSWERS: dict[str, Schema] = {
    "Purchase": record(**PURCHASE),
    "Purchases": record(purchases=rows(ref("Purchase")), next_cursor=CURSOR),
    "PurchaseRefunded": record(refund=said(TEXT, "Stripe's id of the refund"), **PURCHASE),
    "Dispute": record(
        id=said(TEXT, "Stripe's id of it"),
        amount=PRICE,
        state=choice(*(state.name.lower() for state in DisputeState)),
    ),
    "Case": record(
        case=TEXT,
        at=MOMENT,
        reason=TEXT,
        account=or_null(TEXT),
        purchase_id=or_null(TEXT),
        payment=said(or_null(TEXT), "Stripe's id of the money"),
        amount=or_null(PRICE),
        currency=or_null(TEXT),
        event=said(or_null(TEXT), "Stripe's event that told of it"),
        type=or_null(TEXT),
        resolution=or_null(choice(*Resolution)),
        resolved_at=or_null(MOMENT),
        granted=said(or_null(TEXT), "The purchase whose credits came in by it"),
        note=or_null(TEXT),
    ),
    "Cases": record(cases=rows(ref("Case")), next_cursor=CURSOR),
}
