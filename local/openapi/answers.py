"""What routes answer when all is well: a schema for each answer and for the parts of them.

Why: answers are put together as plain objects at the edge. The tests hold every answer they see
against these schemas with no member left over, so neither can change without the other.
"""

from __future__ import annotations

from local.openapi.schemas import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    MOMENT,
    TEXT,
    WHOLE,
    Schema,
    choice,
    counts,
    or_null,
    partly,
    record,
    ref,
    rows,
    said,
)
from tollkeeper.domain.account import Status
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.domain.purchases import PurchaseStatus
from tollkeeper.domain.usage_pools import POOL_NAMES
from tollkeeper.edge.routes import SCOPES

KEY = said(TEXT, "The key of the ledger row: your Idempotency-Key, or one of the system's with `~`")
USD = said(TEXT, "US dollars as an exact decimal text")
PRICE = said(TEXT, "In the currency's main unit, with all its decimals")


def pools(each: Schema) -> Schema:
    """Tokens by pool."""
    members = dict.fromkeys(POOL_NAMES, each)
    schema: Schema = {"type": "object", "properties": members}
    return said(schema, "Tokens by pool; pools without any are left out")


TOKENS = pools(COUNT)
BALANCE: dict[str, Schema] = {
    "available": said(AMOUNT, "What is there after this; below 0 where a plan allows overdraft"),
    "held": said(AMOUNT, "Set aside for calls under way"),
    "debt": said(AMOUNT, "Overdraft that is not paid yet"),
    "seq": said(COUNT, "The row's place in the account's ledger, from 1 without gaps"),
}
RUN: dict[str, Schema] = {
    "cost_usd": or_null(said(USD, "What the provider billed, where that is known")),
    "breakdown": rows(ref("BreakdownLine")),
    "price_version": said(TEXT, "Digest of the catalog that priced the run"),
}
LISTED: dict[str, Schema] = {
    "seq": BALANCE["seq"],
    "key": KEY,
    "kind": choice(*EntryKind),
    "delta": said(AMOUNT, "What `available` changed by"),
    "available_after": AMOUNT,
    "at": MOMENT,
    "operation": or_null(TEXT),
    "model": or_null(TEXT),
    "feature": or_null(TEXT),
    "charged": or_null(AMOUNT),
}
USED: dict[str, Schema] = {
    "service": or_null(TEXT),
    "subtype": or_null(TEXT),
    "quantity": or_null(AMOUNT),
    "tokens": or_null(TOKENS),
    "response_time_ms": or_null(COUNT),
    "occurred_at": or_null(MOMENT),
}
# A charge that is undone on a later day counts there as a run less.
TOTAL: dict[str, Schema] = {
    "calls": said(WHOLE, "Runs that were charged, less those undone; below 0 where more were"),
    "failed": COUNT,
    "credits": said(AMOUNT, "Net of what was given back"),
    "refunded": AMOUNT,
    "tokens": pools(WHOLE),
    "tokens_total": WHOLE,
    "cost_usd": said(USD, "The sum of the costs that are known"),
    "average_credits": AMOUNT,
}
BOUGHT: dict[str, Schema] = {
    "account": TEXT,
    "pack": TEXT,
    "credits": AMOUNT,
    "price": PRICE,
    "currency": TEXT,
}
SERVICE_KEY: dict[str, Schema] = {
    "key_id": TEXT,
    "name": TEXT,
    "scopes": rows(choice(*sorted(SCOPES))),
    "created_at": MOMENT,
    "created_by": TEXT,
    "expires_at": or_null(MOMENT),
    "revoked_at": or_null(MOMENT),
}

PARTS: dict[str, Schema] = {
    "Amount": {
        "type": "number",
        "description": "Credits, exact to six decimals: read it as a decimal, not as a float.",
    },
    "Warning": record(code=TEXT, message=TEXT),
    "BreakdownLine": record(
        item=TEXT,
        quantity={"type": "number"},
        rate=said(TEXT, "Credits per unit; `60/1000` is 60 for 1,000"),
        credits=AMOUNT,
    ),
    "Grant": record(
        id=TEXT,
        kind=choice(*GrantKind),
        amount=AMOUNT,
        remaining=AMOUNT,
        priority=said(WHOLE, "Lower is drawn from first"),
        effective_at=MOMENT,
        expires_at=or_null(MOMENT),
    ),
    "Window": record(
        window=choice("day", "month", "period"),
        spent=AMOUNT,
        limit=or_null(AMOUNT),
        percent=or_null({"type": "number"}),
        resets_at=MOMENT,
    ),
    "FeatureUse": record(feature=TEXT, used=COUNT, limit=COUNT),
    "FeatureLimit": record(feature=TEXT, limit=COUNT),
    "AccountPlan": record(
        id=TEXT,
        name=TEXT,
        driven_by=choice("calendar"),
        period_start=MOMENT,
        period_end=MOMENT,
        allocation=AMOUNT,
        used=AMOUNT,
        next_plan=or_null(TEXT),
    ),
    "AccountTotals": record(
        granted=AMOUNT, purchased=AMOUNT, spent=AMOUNT, expired=AMOUNT, refunded=AMOUNT
    ),
    "HistoryRow": record(**LISTED),
    "Draw": record(grant=TEXT, kind=choice(*GrantKind), amount=AMOUNT),
    "StatsTotal": record(**TOTAL),
    "StatsRow": partly(
        record(
            bucket=said(TEXT, "A day, the Monday of a week, or a month such as 2026-11"),
            operation=said(
                or_null(TEXT), "There where rows are grouped by it; so are the next two"
            ),
            model=or_null(TEXT),
            feature=or_null(TEXT),
            **TOTAL,
        ),
        "operation",
        "model",
        "feature",
    ),
    "Pack": record(
        id=TEXT,
        name=TEXT,
        credits=AMOUNT,
        price=PRICE,
        currency=TEXT,
        price_per_credit=TEXT,
        savings_percent=WHOLE,
        features=rows(TEXT),
        expires_after_days=or_null(COUNT),
    ),
    "ModelPrice": record(name=TEXT, patterns=rows(TEXT), price=AMOUNT, explanation=TEXT),
    "OperationPrice": record(
        id=TEXT,
        name=TEXT,
        rule=choice("flat", "per_unit", "per_1k_tokens", "local"),
        price=said(or_null(AMOUNT), "Credits per `unit`; null where each model has its own"),
        unit=TEXT,
        explanation=TEXT,
        feature=or_null(TEXT),
        models=rows(ref("ModelPrice")),
    ),
    "Plan": record(
        id=TEXT,
        name=TEXT,
        allocation=AMOUNT,
        is_default=FLAG,
        rollover=choice("none", "all", "capped"),
        features=rows(ref("FeatureLimit")),
    ),
    "ServiceKey": record(**SERVICE_KEY),
    "Finding": record(invariant=TEXT, where=TEXT, what=said(TEXT, "A sentence for people")),
}

ANSWERS: dict[str, Schema] = {
    "Allowed": record(
        allowed=said({"const": True}, "A run that cannot be paid for is answered with 402"),
        required=AMOUNT,
        available=AMOUNT,
        spendable=said(AMOUNT, "What a charge may take: available and what overdraft is left"),
        warnings=rows(ref("Warning")),
    ),
    "Estimate": record(min=AMOUNT, typical=AMOUNT, max=AMOUNT, explanation=TEXT),
    "Charged": record(key=KEY, charged=AMOUNT, **BALANCE, **RUN, warnings=rows(ref("Warning"))),
    "GivenBack": record(
        key=KEY, charge=said(or_null(KEY), "The charge's key"), refunded=AMOUNT, **BALANCE
    ),
    "Granted": record(key=KEY, grant_id=TEXT, granted=AMOUNT, **BALANCE),
    "Adjusted": record(key=KEY, adjusted=AMOUNT, **BALANCE),
    "PlanChanged": record(
        key=KEY,
        kind=choice(EntryKind.PLAN_CHANGE),
        **{"from": TEXT},
        to=TEXT,
        at=said(
            choice("now", "period_end", "opening"), "`opening`: the account opened on the plan"
        ),
        **BALANCE,
    ),
    "ProfileChanged": partly(
        record(key=KEY, kind=choice(EntryKind.PROFILE), name=TEXT, zone=TEXT, **BALANCE),
        "name",
        "zone",
    ),
    "Unchanged": record(
        changed=said({"const": False}, "The account was as asked for already"),
        plan=TEXT,
        available=AMOUNT,
        seq=COUNT,
    ),
    "StandingChanged": record(
        key=KEY, kind=choice(EntryKind.FREEZE, EntryKind.UNFREEZE, EntryKind.CLOSE), **BALANCE
    ),
    "Account": record(
        account=TEXT,
        status=choice(*Status),
        available=BALANCE["available"],
        spendable=AMOUNT,
        held=AMOUNT,
        debt=BALANCE["debt"],
        plan=ref("AccountPlan"),
        zone=said(TEXT, "The IANA zone in which its days and periods begin"),
        next_zone=or_null(TEXT),
        name=or_null(TEXT),
        grants=rows(ref("Grant")),
        windows=rows(ref("Window")),
        features=rows(ref("FeatureUse")),
        totals=ref("AccountTotals"),
        seq=COUNT,
        updated_at=MOMENT,
        warnings=rows(ref("Warning")),
    ),
    "History": record(
        entries=rows(ref("HistoryRow")),
        next_cursor=said(or_null(TEXT), "The `cursor` of the next page; null on the last one"),
    ),
    "Entry": partly(
        record(
            **LISTED,
            amount=said(AMOUNT, "What the row is about, which a delta of 0 can hide"),
            held=AMOUNT,
            debt=AMOUNT,
            debt_change=AMOUNT,
            grant=or_null(ref("Grant")),
            grants_moved=rows(ref("Draw")),
            refers_to=or_null(KEY),
            returned_by=or_null(KEY),
            reason=or_null(TEXT),
            actor=or_null(TEXT),
            details=counts(TEXT),
            metadata=said({"type": ["object", "null"]}, "As it was sent"),
            warnings=rows(ref("Warning")),
            **RUN,
            **USED,
        ),
        *RUN,
        *USED,
    ),
    "Stats": record(
        **{"from": DAY}, to=DAY, zone=TEXT, rows=rows(ref("StatsRow")), totals=ref("StatsTotal")
    ),
    "Verified": record(
        account=TEXT,
        is_clean={
            "type": ["boolean", "null"],
            "description": "Nothing was found; null where the time was over before the end",
        },
        is_finished=FLAG,
        entries=said(COUNT, "How many rows were read"),
        available=or_null(AMOUNT),
        seq=or_null(COUNT),
        unexplained=said(AMOUNT, "Credits that no row explains; 0 in a ledger that is whole"),
        findings_total=COUNT,
        findings=said(rows(ref("Finding")), "The first of them"),
    ),
    "KeyIssued": record(
        **SERVICE_KEY, key=said(or_null(TEXT), "The key itself, once; null in a replay")
    ),
    "Keys": record(keys=rows(ref("ServiceKey"))),
    "Packs": record(packs=rows(ref("Pack"))),
    "Catalog": record(
        price_version=TEXT,
        operations=rows(ref("OperationPrice")),
        plans=rows(ref("Plan")),
        low_balance=AMOUNT,
    ),
    "CheckoutOpened": record(purchase_id=TEXT, checkout_url=TEXT, **BOUGHT),
    "Purchase": record(
        purchase_id=TEXT,
        **BOUGHT,
        status=choice(*PurchaseStatus),
        reason=or_null(TEXT),
        created_at=MOMENT,
        paid_at=or_null(MOMENT),
    ),
    "Received": record(received={"const": True}, outcome=choice(*PaymentOutcome)),
}
