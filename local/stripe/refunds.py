"""Refunds: money of a charge that goes back, in one or several parts."""

from __future__ import annotations

from local.stripe.cards import CARDS
from local.stripe.customers import card_of
from local.stripe.events import emit
from local.stripe.refusals import invalid, refused
from local.stripe.state import CHARGE, DISPUTE, PAYMENT_METHOD, REFUND, Object, StripeState


def create_refund(
    state: StripeState,
    charge: Object,
    now: int,
    *,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Object | None = None,
) -> Object:
    """That much of the charge, or all that is left of it, goes back.

    Raises: StripeRefusedError for more than is left, and for money that is not there or disputed.
    """
    if charge["status"] != "succeeded":
        raise refused("This charge has not succeeded, so it cannot be refunded.")
    if charge["disputed"] and not _may_go_back(state, charge):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = int(charge["amount"]) - int(charge["amount_refunded"])
    if left == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    wanted = left if amount is None else amount
    if wanted < 1:
        raise invalid("Invalid positive integer", param="amount")
    if wanted > left:
        raise refused(
            f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    method = state.find(PAYMENT_METHOD, charge["payment_method"])
    refund = state.add(
        REFUND,
        now,
        {
            "amount": wanted,
            "balance_transaction": state.new_id("txn"),
            "charge": charge["id"],
            "currency": charge["currency"],
            "metadata": dict(metadata or {}),
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": CARDS[card_of(method)].refund,
            "transfer_reversal": None,
        },
    )
    before = _count(state, charge)
    emit(state, "refund.created", refund, now)
    emit(state, "charge.refunded", charge, now, previous=before)
    return refund


def finish_refund(state: StripeState, refund: Object, now: int) -> None:
    """A refund that was under way has reached the customer."""
    _move(state, refund, now, status="succeeded")


def fail_refund(state: StripeState, refund: Object, now: int) -> None:
    """The bank did not take the refund; the money is the charge's again.

    Why: Stripe sends no `charge.refunded` for this; the charge itself counts it no longer.
    """
    refund["failure_reason"] = "expired_or_canceled_card"
    _move(state, refund, now, status="failed")
    _count(state, state.find(CHARGE, refund["charge"]))
    emit(state, "refund.failed", refund, now)


def _move(state: StripeState, refund: Object, now: int, *, status: str) -> None:
    assert refund["status"] != "failed", "a failed refund is over"
    before = {"status": refund["status"]}
    refund["status"] = status
    emit(state, "refund.updated", refund, now, previous=before)
    emit(state, "charge.refund.updated", refund, now, previous=before)


def _count(state: StripeState, charge: Object) -> Object:
    """The charge's own sum is right again; the members that this changed, as they were."""
    own = state.where(REFUND, charge=charge["id"])
    total = sum(int(each["amount"]) for each in own if each["status"] != "failed")
    before = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge |= {"amount_refunded": total, "refunded": total == charge["amount"]}
    return before


def _may_go_back(state: StripeState, charge: Object) -> bool:
    """The dispute is only a question, or was won: the money is here."""
    status = str(state.find(DISPUTE, charge["dispute"])["status"])
    return status == "won" or status.startswith("warning_")
