"""Disputes: a customer's bank asks about a charge, takes its money back, and may return it."""

from __future__ import annotations

from local.stripe.events import emit
from local.stripe.refusals import refused
from local.stripe.state import CHARGE, DISPUTE, Object, StripeState

DAY_S = 86_400
FEE_MINOR = 1500
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open_dispute(
    state: StripeState,
    charge: Object,
    now: int,
    *,
    amount: int | None = None,
    is_inquiry: bool = False,
    reason: str = "fraudulent",
) -> Object:
    """The customer's bank has its money back; of an inquiry, it only asks.

    Raises: StripeRefusedError where the charge has no money left, or is disputed.
    """
    left = int(charge["amount"]) - int(charge["amount_refunded"])
    if charge["status"] != "succeeded" or charge["disputed"] or not left:
        raise refused("This charge cannot be disputed.")
    dispute = state.add(
        DISPUTE,
        now,
        {
            "amount": left if amount is None else amount,
            "balance_transaction": None,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "evidence": dict.fromkeys(EVIDENCE),
            "evidence_details": {
                "due_by": now + 9 * DAY_S,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": is_inquiry,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "warning_needs_response" if is_inquiry else "needs_response",
        },
    )
    charge |= {"disputed": True, "dispute": dispute["id"]}
    if not is_inquiry:
        _move_money(state, dispute, now, sign=-1)
    emit(state, "charge.dispute.created", dispute, now)
    if not is_inquiry:
        emit(state, "charge.dispute.funds_withdrawn", dispute, now)
    return dispute


def escalate(state: StripeState, dispute: Object, now: int) -> None:
    """What was an inquiry takes the money back."""
    _check(dispute, {"warning_needs_response", "warning_under_review"})
    before = {"status": dispute["status"]}
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    _move_money(state, dispute, now, sign=-1)
    emit(state, "charge.dispute.updated", dispute, now, previous=before)
    emit(state, "charge.dispute.funds_withdrawn", dispute, now)


def close_inquiry(state: StripeState, dispute: Object, now: int) -> None:
    """The inquiry is over, and no money moved."""
    _check(dispute, {"warning_needs_response", "warning_under_review"})
    dispute["status"] = "warning_closed"
    state.find(CHARGE, dispute["charge"])["disputed"] = False
    emit(state, "charge.dispute.closed", dispute, now)


def win(state: StripeState, dispute: Object, now: int) -> None:
    """The bank gives the money back."""
    _check(dispute, {"needs_response", "under_review", "lost"})
    dispute["status"] = "won"
    _move_money(state, dispute, now, sign=1)
    emit(state, "charge.dispute.funds_reinstated", dispute, now)
    emit(state, "charge.dispute.closed", dispute, now)


def lose(state: StripeState, dispute: Object, now: int) -> None:
    """The money stays with the customer."""
    _check(dispute, {"needs_response", "under_review"})
    dispute["status"] = "lost"
    emit(state, "charge.dispute.closed", dispute, now)


def _check(dispute: Object, statuses: set[str]) -> None:
    if dispute["status"] not in statuses:
        raise refused(f"The dispute is {dispute['status']}.")


def _move_money(state: StripeState, dispute: Object, now: int, *, sign: int) -> None:
    """One more line in the dispute's account: what the bank took, or gave back."""
    amount = sign * int(dispute["amount"])
    fee = FEE_MINOR if sign < 0 else 0
    word = "withdrawal" if sign < 0 else "reversal"
    detail = {
        "amount": fee,
        "application": None,
        "currency": dispute["currency"],
        "description": "Dispute fee",
        "type": "stripe_fee",
    }
    dispute["balance_transactions"] = [
        *dispute["balance_transactions"],
        {
            "id": state.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now,
            "created": now,
            "currency": dispute["currency"],
            "description": f"Chargeback {word} for {dispute['charge']}",
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "source": dispute["id"],
            "status": "pending",
            "type": "adjustment",
        },
    ]
