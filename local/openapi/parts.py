"""The parts that answers share: amounts, balances, grants, windows, holds, totals."""

from __future__ import annotations

from local.openapi.schemas import (
    AMOUNT,
    COUNT,
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
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.purchases import PurchaseKind
from tollkeeper.domain.steps import STEPS
from tollkeeper.domain.usage.pools import POOL_NAMES
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
    "debt": said(AMOUNT, "What is owed: overdraft, and credits whose money went back when spent"),
    "seq": said(COUNT, "The row's place in the account's ledger, from 1 without gaps"),
}
RUN: dict[str, Schema] = {
    "cost_usd": or_null(said(USD, "What the provider billed, where that is known")),
    "breakdown": rows(ref("BreakdownLine")),
    "price_version": said(TEXT, "Digest of the catalog that priced the run"),
}
HOLD_ID = said(TEXT, "The hold's own id")
LIMITS: dict[str, Schema] = {
    "daily": or_null(AMOUNT),
    "monthly": or_null(AMOUNT),
    "per_run_max": or_null(AMOUNT),
}
THRESHOLDS = said(rows({"type": "integer", "minimum": 1, "maximum": 100}), "Percentages")
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
PRICED_AS: dict[str, Schema] = {
    "provider": said(or_null(TEXT), "Whose rates priced it"),
    "service_tier": said(or_null(TEXT), "`batch`, `flex`, `priority` or `fast`"),
    "plan": said(or_null(TEXT), "The plan whose prices applied, where prices depend on it"),
    "stands_for": said(or_null(TEXT), "The model whose rates stood in for unknown ones"),
    "pending": said(or_null(choice("unknown_model")), "Why the price was not final"),
    "computation": said(or_null(ref("Computation")), "Null where the row has no price"),
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

STATS_ROW = partly(
    record(
        bucket=said(TEXT, "A day, the Monday of a week, or a month such as 2026-11"),
        operation=said(or_null(TEXT), "There where rows are grouped by it; so are the next two"),
        model=or_null(TEXT),
        feature=or_null(TEXT),
        **TOTAL,
    ),
    "operation",
    "model",
    "feature",
)
BOUGHT: dict[str, Schema] = {
    "account": TEXT,
    "kind": choice(*PurchaseKind),
    "pack": said(or_null(TEXT), "null where a plan is bought"),
    "plan": said(or_null(TEXT), "null where a pack is bought"),
    "credits": said(AMOUNT, "A plan's come with each paid invoice, so of its checkout it is 0"),
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
        percent=said(or_null(COUNT), "How much of the limit is spent, rounded down"),
        resets_at=MOMENT,
    ),
    "FeatureUse": record(feature=TEXT, used=COUNT, limit=COUNT),
    "AllowanceUse": record(
        feature=TEXT,
        used=said(AMOUNT, "Of the period so far; tiers count above what is free"),
        free=AMOUNT,
        unit=said(TEXT, "What is counted: a call, a token or the operation's own unit"),
    ),
    "FeatureLimit": record(feature=TEXT, limit=COUNT),
    "AccountPlan": record(
        id=TEXT,
        name=TEXT,
        driven_by=choice("calendar", "stripe"),
        subscription=said(or_null(TEXT), "Stripe's id of the subscription that drives the plan"),
        period_start=MOMENT,
        period_end=said(MOMENT, "Of a subscription, until when it is paid"),
        allocation=AMOUNT,
        used=AMOUNT,
        next_plan=or_null(TEXT),
    ),
    "AccountTotals": record(
        granted=AMOUNT,
        purchased=AMOUNT,
        spent=AMOUNT,
        expired=AMOUNT,
        refunded=AMOUNT,
        transferred_in=said(AMOUNT, "Between this account and its budgets, or its parent"),
        transferred_out=AMOUNT,
        uncollected=said(AMOUNT, "Used above holds or before a refund, and not there to take"),
        clawed_back=said(AMOUNT, "Gone with money that went back, less what came back"),
    ),
    "OpenHold": record(
        hold_id=HOLD_ID,
        held=AMOUNT,
        operation=TEXT,
        model=or_null(TEXT),
        opened_at=MOMENT,
        expires_at=MOMENT,
    ),
    "Limits": record(**LIMITS),
    "AccountLimits": record(
        **LIMITS,
        operator=ref("Limits"),
        user=ref("Limits"),
        alert_thresholds=THRESHOLDS,
        low_balance=AMOUNT,
    ),
    "ChangedLimits": partly(
        record(**LIMITS, alert_thresholds=or_null(THRESHOLDS), low_balance=or_null(AMOUNT)),
        *LIMITS,
        "alert_thresholds",
        "low_balance",
    ),
    "HistoryRow": record(**LISTED),
    "Computation": record(
        agrees=said(
            {"type": ["boolean", "null"]}, "Null where it cannot be computed again: `why` says so"
        ),
        why=or_null(TEXT),
        price=said(AMOUNT, "What the row says, collected or not"),
        computed=said(or_null(AMOUNT), "What its inputs come to under its price version"),
        price_version=TEXT,
        priced_at=said(or_null(MOMENT), "The moment whose dated rates applied"),
        steps=rows(ref("ComputationStep")),
    ),
    "ComputationStep": record(
        step=choice(*STEPS),
        text=said(TEXT, "A sentence for people"),
        numbers=said(counts(TEXT), "Exact: decimals, or `n/d` where those have no end"),
    ),
    "WaitingCharge": record(
        account=TEXT,
        key=KEY,
        at=MOMENT,
        operation=TEXT,
        model=or_null(TEXT),
        charged=said(AMOUNT, "What was charged until the price is known"),
    ),
    "Draw": record(grant=TEXT, kind=choice(*GrantKind), amount=AMOUNT),
    "StatsTotal": record(**TOTAL),
    "StatsRow": STATS_ROW,
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
    "OperationPrice": partly(
        record(
            id=TEXT,
            name=TEXT,
            rule=choice("flat", "per_unit", "per_1k_tokens", "tokens", "resource", "local"),
            price=said(or_null(AMOUNT), "Credits per `unit`; null where each model has its own"),
            unit=TEXT,
            explanation=TEXT,
            feature=or_null(TEXT),
            models=rows(ref("ModelPrice")),
            minimum=said(AMOUNT, "Each run costs at least this"),
            free_allowance=said(AMOUNT, "So many calls, units or tokens of a period cost nothing"),
            tiers=rows(
                record(above=AMOUNT, percent=said(AMOUNT, "Of the price, above that volume"))
            ),
        ),
        "minimum",
        "free_allowance",
        "tiers",
    ),
    "Plan": partly(
        record(
            id=TEXT,
            name=TEXT,
            allocation=AMOUNT,
            is_default=FLAG,
            rollover=choice("none", "all", "capped"),
            features=rows(ref("FeatureLimit")),
            driven_by=choice("calendar", "stripe"),
            price=said(PRICE, "What it costs each `interval`, where Stripe drives it"),
            currency=TEXT,
            interval=choice("month", "year"),
            prices=said(rows(ref("OperationPrice")), "What costs something else on this plan"),
        ),
        "price",
        "currency",
        "interval",
        "prices",
    ),
    "ServiceKey": record(**SERVICE_KEY),
    "Finding": record(invariant=TEXT, where=TEXT, what=said(TEXT, "A sentence for people")),
}
