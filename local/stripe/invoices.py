"""Invoices of subscriptions: their lines say which period they are for, they themselves do not."""

from __future__ import annotations

from local.stripe import payments
from local.stripe.events import emit
from local.stripe.prices import as_plan
from local.stripe.refusals import refused
from local.stripe.state import (
    INVOICE,
    INVOICE_PAYMENT,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    Object,
    StripeState,
    is_basil,
)


def make_line(
    state: StripeState,
    subscription: Object,
    price: Object,
    *,
    amount: int,
    start: int,
    end: int,
    is_proration: bool = False,
) -> Object:
    """One line of an invoice, for this period."""
    what = "Remaining time on" if amount >= 0 else "Unused time on"
    return {
        "id": state.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": f"{what if is_proration else '1 x'} {price['nickname']}",
        "discount_amounts": [],
        "discountable": not is_proration,
        "discounts": [],
        **({"invoice_item": state.new_id("ii")} if is_proration else {}),
        "livemode": state.is_live,
        "metadata": dict(subscription["metadata"]),
        "period": {"end": end, "start": start},
        "plan": as_plan(price),
        "price": dict(price),
        "proration": is_proration,
        "proration_details": {"credited_items": None},
        "quantity": 1,
        "subscription": subscription["id"],
        "subscription_item": subscription["item"]["id"],
        "tax_amounts": [],
        "tax_rates": [],
        "type": "invoiceitem" if is_proration else "subscription",
    }


def make_invoice(
    state: StripeState,
    subscription: Object,
    now: int,
    *,
    lines: list[Object],
    billing_reason: str,
    period: tuple[int, int],
) -> Object:
    """An open invoice over these lines, told as created and finalized.

    `period` is what its own `period_start` and `period_end` say: of no use to anybody, since it
    is empty or the one before, as in reality.
    """
    invoice = _draft(
        state, subscription, now, lines=lines, billing_reason=billing_reason, period=period
    )
    total = int(invoice["total"])
    subscription["latest_invoice"] = invoice["id"]
    emit(state, "invoice.created", invoice, now)
    invoice["status"] = "open"
    invoice["status_transitions"]["finalized_at"] = now
    if total:
        intent = payments.open_payment(
            state,
            now,
            amount=total,
            currency=str(invoice["currency"]),
            customer=str(invoice["customer"]),
            description="Subscription update" if billing_reason.endswith("update") else None,
            invoice=str(invoice["id"]),
        )
        invoice["payment_intent"] = intent["id"]
    emit(state, "invoice.finalized", invoice, now)
    return invoice


def _draft(
    state: StripeState,
    subscription: Object,
    now: int,
    *,
    lines: list[Object],
    billing_reason: str,
    period: tuple[int, int],
) -> Object:
    """The invoice before it was told to anybody."""
    total = sum(int(line["amount"]) for line in lines)
    assert total >= 0, "credit notes are not simulated"
    number = len(state.all_of(INVOICE)) + 1
    return state.add(
        INVOICE,
        now,
        {
            "account_country": "US",
            "account_name": "Test",
            "amount_due": total,
            "amount_paid": 0,
            "amount_remaining": total,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": {"enabled": False, "status": None},
            "billing_reason": billing_reason,
            "charge": None,
            "collection_method": "charge_automatically",
            "currency": subscription["item"]["price"]["currency"],
            "customer": subscription["customer"],
            "customer_email": None,
            "description": None,
            "discounts": [],
            "due_date": None,
            "ending_balance": None,
            "hosted_invoice_url": f"{state.page_url}/stripe",
            "lines": lines,
            "metadata": {},
            "next_payment_attempt": None,
            "number": f"TEST-{number:04d}",
            "paid": False,
            "payment_intent": None,
            "period_end": period[1],
            "period_start": period[0],
            "starting_balance": 0,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "subscription": subscription["id"],
            "subscription_details": {"metadata": dict(subscription["metadata"])},
            "subtotal": total,
            "tax": None,
            "total": total,
        },
    )


def collect(
    state: StripeState,
    invoice: Object,
    now: int,
    *,
    method: Object | None,
    is_off_session: bool = True,
) -> bool:
    """True where the invoice is paid now; else it stays open and `invoice.payment_failed` is told.

    Raises: StripeRefusedError where it is not open.
    """
    if invoice["status"] != "open":
        raise refused(f"This invoice is {invoice['status']}.", code="invoice_not_open")
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    if invoice["payment_intent"] is None:
        _note_paid(state, invoice, now)
        return True
    if method is None:
        emit(state, "invoice.payment_failed", invoice, now)
        return False
    intent = state.find(PAYMENT_INTENT, invoice["payment_intent"])
    status = payments.attempt(
        state,
        intent,
        now,
        method=method,
        is_off_session=is_off_session,
        is_confirmed=not is_off_session,
    )
    invoice["charge"] = intent["latest_charge"]
    if status != "succeeded":
        error: Object = intent["last_payment_error"] or {}
        if error.get("code") == payments.AUTHENTICATE:
            emit(state, "invoice.payment_action_required", invoice, now)
        emit(state, "invoice.payment_failed", invoice, now)
        return False
    _note_paid(state, invoice, now)
    return True


def find_method(state: StripeState, subscription: Object) -> Object | None:
    """The way to pay that the subscription is paid with, if it is still saved."""
    method = state.all_of(PAYMENT_METHOD).get(str(subscription["default_payment_method"]))
    return method if method is not None and method["customer"] else None


def mark_uncollectible(state: StripeState, invoice: Object, now: int) -> None:
    """Nobody tries to collect the invoice any more."""
    if invoice["status"] == "open":
        invoice["status"] = "uncollectible"
        invoice["status_transitions"]["marked_uncollectible_at"] = now
        emit(state, "invoice.marked_uncollectible", invoice, now)


def _note_paid(state: StripeState, invoice: Object, now: int) -> None:
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "auto_advance": False,
        "ending_balance": 0,
        "next_payment_attempt": None,
        "paid": True,
        "status": "paid",
    }
    invoice["status_transitions"]["paid_at"] = now
    payment = _note_payment(state, invoice, now) if invoice["payment_intent"] else None
    emit(state, "invoice.paid", invoice, now)
    emit(state, "invoice.payment_succeeded", invoice, now)
    if payment is not None and is_basil(state.api_version):
        emit(state, "invoice_payment.paid", payment, now)


def _note_payment(state: StripeState, invoice: Object, now: int) -> Object:
    """Which payment paid the invoice, as newer versions say it."""
    return state.add(
        INVOICE_PAYMENT,
        now,
        {
            "amount_paid": invoice["amount_due"],
            "amount_requested": invoice["amount_due"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"payment_intent": invoice["payment_intent"], "type": "payment_intent"},
            "status": "paid",
            "status_transitions": {"canceled_at": None, "paid_at": now},
        },
    )
