"""What routes answer when all is well: a schema for each answer.

Why: answers are put together as plain objects at the edge. The tests hold every answer they see
against these schemas with no member left over, so neither can change without the other.
"""

from __future__ import annotations

from local.openapi.billing_answers import BILLING_ANSWERS
from local.openapi.live_facts import LIVE_ANSWERS
from local.openapi.parts import (
    BALANCE,
    BOUGHT,
    HOLD_ID,
    KEY,
    LISTED,
    PRICED_AS,
    RUN,
    SERVICE_KEY,
    USED,
)
from local.openapi.payment_answers import PAYMENT_ANSWERS
from local.openapi.report_facts import REPORT_ANSWERS
from local.openapi.schemas import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    MOMENT,
    TEXT,
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
from tollkeeper.domain.payments import PaymentOutcome
from tollkeeper.service.reconciling import Kind

ANSWERS: dict[str, Schema] = {
    **BILLING_ANSWERS,
    **PAYMENT_ANSWERS,
    **LIVE_ANSWERS,
    **REPORT_ANSWERS,
    "Allowed": record(
        allowed=said({"const": True}, "A run that cannot be paid for is answered with 402"),
        required=AMOUNT,
        available=AMOUNT,
        spendable=said(AMOUNT, "What a charge may take: available and what overdraft is left"),
        cost_usd=RUN["cost_usd"],
        price_version=RUN["price_version"],
        warnings=rows(ref("Warning")),
    ),
    "Estimate": record(
        min=AMOUNT,
        typical=AMOUNT,
        max=AMOUNT,
        quote_id=said(
            or_null(TEXT), "Send it with the call and these prices hold; null where none are signed"
        ),
        cost_usd=RUN["cost_usd"],
        price_version=RUN["price_version"],
        explanation=TEXT,
        breakdown=RUN["breakdown"],
        warnings=rows(ref("Warning")),
    ),
    "Charged": record(key=KEY, charged=AMOUNT, **BALANCE, **RUN, warnings=rows(ref("Warning"))),
    "Held": record(
        key=KEY,
        hold_id=HOLD_ID,
        required=said(AMOUNT, "What this hold set aside"),
        expires_at=MOMENT,
        **{**BALANCE, "held": said(AMOUNT, "What this hold set aside")},
        **RUN,
        warnings=rows(ref("Warning")),
    ),
    "Settled": record(
        key=KEY,
        hold_id=HOLD_ID,
        charged=AMOUNT,
        released=said(AMOUNT, "Back from the hold; what expired of it is in `expired`"),
        expired=said(AMOUNT, "Of what was released, what had no grant left to go back to"),
        uncollected=said(AMOUNT, "Used above the hold, and not there to charge"),
        late=said(FLAG, "The hold had expired"),
        final=said(FLAG, "false: the hold is still open with the rest"),
        **BALANCE,
        **RUN,
        warnings=rows(ref("Warning")),
    ),
    "Released": record(key=KEY, hold_id=HOLD_ID, released=AMOUNT, expired=AMOUNT, **BALANCE),
    "Extended": record(key=KEY, hold_id=HOLD_ID, expires_at=MOMENT, **BALANCE),
    "Funded": record(
        key=KEY,
        budget=TEXT,
        transferred=AMOUNT,
        budget_available=said(AMOUNT, "What the budget has after this"),
        **BALANCE,
    ),
    "BudgetClosed": record(
        key=KEY,
        budget=TEXT,
        returned=AMOUNT,
        expired=said(AMOUNT, "Of it, what had no grant left to go back to"),
        **BALANCE,
    ),
    "LimitsChanged": record(
        key=KEY,
        limits=said(ref("ChangedLimits"), "What was set; null took a limit away"),
        set_by=choice("operator", "user"),
        **BALANCE,
    ),
    "GivenBack": record(
        key=KEY, charge=said(or_null(KEY), "The charge's key"), refunded=AMOUNT, **BALANCE
    ),
    "Rerated": record(
        key=KEY,
        charge=said(or_null(KEY), "The charge's key"),
        before=said(AMOUNT, "What the run was priced at before"),
        price=said(AMOUNT, "What it costs"),
        returned=said(AMOUNT, "Back in the grants that it came from"),
        taken=said(AMOUNT, "Taken beside the charge"),
        uncollected=said(AMOUNT, "Not there to take; below 0 where less of it is open than before"),
        **BALANCE,
        **RUN,
        warnings=rows(ref("Warning")),
    ),
    "Quarantine": record(
        charges=rows(ref("WaitingCharge")),
        next_cursor=said(or_null(TEXT), "The `cursor` of the next page; null on the last one"),
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
    "Entitled": record(
        key=KEY,
        kind=choice(EntryKind.PLAN_CHANGE),
        **{"from": TEXT},
        to=TEXT,
        at=choice("now", "period_end", "opening"),
        plan=TEXT,
        why=said(TEXT, "A sentence: what the plan follows from"),
        **BALANCE,
    ),
    "EntitledBefore": record(
        changed=said({"const": False}, "The account was as asked for already"),
        plan=TEXT,
        why=said(TEXT, "A sentence: what the plan follows from"),
        available=AMOUNT,
        seq=COUNT,
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
    "LimitsUnchanged": record(
        changed=said({"const": False}, "The account was as asked for already"),
        limits=ref("AccountLimits"),
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
        clawback_debt=said(
            AMOUNT, "Of the debt, what is owed for money that went back; it is paid first"
        ),
        plan=ref("AccountPlan"),
        zone=said(TEXT, "The IANA zone in which its days and periods begin"),
        next_zone=or_null(TEXT),
        name=or_null(TEXT),
        parent=said(or_null(TEXT), "The account that funds it, where it is a budget"),
        grants=rows(ref("Grant")),
        holds=rows(ref("OpenHold")),
        windows=rows(ref("Window")),
        limits=ref("AccountLimits"),
        features=rows(ref("FeatureUse")),
        allowances=rows(ref("AllowanceUse")),
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
            held_change=said(AMOUNT, "What open holds changed by"),
            debt=AMOUNT,
            debt_change=AMOUNT,
            clawback_debt_change=said(AMOUNT, "Of it, what is owed for money that went back"),
            grant=or_null(ref("Grant")),
            grants_moved=rows(ref("Draw")),
            grants_returned=said(rows(ref("Draw")), "What went back of a hold or a budget"),
            expired=said(AMOUNT, "What had no grant left to go back to"),
            uncollected=said(AMOUNT, "Used above a hold, and not there to charge"),
            hold_id=or_null(TEXT),
            alerts=said(rows(TEXT), "The thresholds that this row crossed"),
            refers_to=or_null(KEY),
            returned_by=or_null(KEY),
            rerated_by=said(or_null(KEY), "The row that corrected a quarantined charge"),
            reason=or_null(TEXT),
            actor=or_null(TEXT),
            details=counts(TEXT),
            metadata=said({"type": ["object", "null"]}, "As it was sent"),
            warnings=rows(ref("Warning")),
            **RUN,
            **USED,
            **PRICED_AS,
        ),
        *RUN,
        *USED,
        *PRICED_AS,
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
    "Reconciled": record(
        **{"from": MOMENT},
        to=MOMENT,
        counts=said(counts(ref("ReconciledCounts")), "By the kind of Stripe's objects"),
        healed=said(rows(ref("ReconciledObject")), "What no webhook had told of"),
        differs=said(rows(ref("ReconciledObject")), "What is not the same here as at Stripe"),
        is_finished=FLAG,
        next_cursor=said(
            or_null(TEXT), "The `cursor` that goes on with this range; null at its end"
        ),
    ),
    "ReconciledCounts": record(
        seen=COUNT,
        fine=said(COUNT, "Known here already, or not ours"),
        healed=COUNT,
        quarantined=said(COUNT, "Money that waits for a person"),
    ),
    "ReconciledObject": record(
        kind=choice(*Kind),
        id=said(TEXT, "Stripe's id of it"),
        what=said(TEXT, "What became of it, or in what it differs"),
        purchase=or_null(TEXT),
        account=or_null(TEXT),
        reason=or_null(TEXT),
    ),
    "KeyIssued": record(
        **SERVICE_KEY, key=said(or_null(TEXT), "The key itself, once; null in a replay")
    ),
    "Keys": record(keys=rows(ref("ServiceKey"))),
    "TokenMinted": record(
        token=said(TEXT, "What the user's browser sends as its bearer; shown once, kept nowhere"),
        account=TEXT,
        expires_at=MOMENT,
        page_url=said(or_null(TEXT), "The account page, opened with the token"),
    ),
    "Packs": record(packs=rows(ref("Pack"))),
    "Catalog": record(
        price_version=TEXT,
        operations=rows(ref("OperationPrice")),
        plans=rows(ref("Plan")),
        low_balance=AMOUNT,
    ),
    "PortalOpened": record(portal_url=said(TEXT, "Good for a few minutes")),
    "CheckoutOpened": record(purchase_id=TEXT, checkout_url=TEXT, **BOUGHT),
    "Received": record(received={"const": True}, outcome=choice(*PaymentOutcome)),
}
