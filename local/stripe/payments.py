"""Payments and their charges: by the customer on a page, or by a saved card with nobody there."""

from __future__ import annotations

from local.stripe import disputes
from local.stripe.cards import CARDS, Card
from local.stripe.customers import NO_ADDRESS, card_of
from local.stripe.events import emit
from local.stripe.refusals import StripeRefusedError, card_refused, refused
from local.stripe.shapes import shown
from local.stripe.state import CHARGE, PAYMENT_INTENT, PAYMENT_METHOD, Object, StripeState

AUTHENTICATE = "authentication_required"
MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    AUTHENTICATE: "Your card was declined. This transaction requires authentication.",
    "bank": "The bank did not pay.",
}
OVER = frozenset({"succeeded", "canceled"})


def open_payment(
    state: StripeState,
    now: int,
    *,
    amount: int,
    currency: str,
    customer: str | None = None,
    payment_method: str | None = None,
    metadata: Object | None = None,
    description: str | None = None,
    setup_future_usage: str | None = None,
    invoice: str | None = None,
) -> Object:
    """A payment that nobody has tried to pay yet."""
    intent = state.add(
        PAYMENT_INTENT,
        now,
        {
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": customer,
            "description": description,
            "invoice": invoice,
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": dict(metadata or {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": payment_method,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": setup_future_usage,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method" if not payment_method else "requires_confirmation",
            "transfer_data": None,
            "transfer_group": None,
        },
    )
    intent["client_secret"] = state.new_id(f"{intent['id']}_secret")
    emit(state, "payment_intent.created", intent, now)
    return intent


def attempt(
    state: StripeState,
    intent: Object,
    now: int,
    *,
    method: Object,
    is_off_session: bool = False,
    is_confirmed: bool = False,
) -> str:
    """The status of the payment after one try to pay it.

    `is_off_session`: the customer is not there. `is_confirmed`: the customer is, and confirmed.
    """
    if intent["status"] in OVER or intent["status"] == "processing":
        raise unexpected_state(state, intent)
    intent["payment_method"] = method["id"]
    card = CARDS[card_of(method)]
    if card.is_bank:
        _process(state, intent, now)
    elif card.declines and (is_off_session or not card.is_good_once):
        _fail(state, intent, now, reason=card.declines)
    elif card.authenticates and not is_confirmed and is_off_session:
        _fail(state, intent, now, reason=AUTHENTICATE)
    elif card.authenticates and not is_confirmed:
        _ask_customer(state, intent, now)
    else:
        _succeed(state, intent, now, card=card)
    return str(intent["status"])


def refuse_failed(state: StripeState, intent: Object, version: str) -> None:
    """Nothing, unless the last try failed. Raises: StripeRefusedError, as the API answers it."""
    if intent["status"] == "requires_payment_method" and intent["last_payment_error"]:
        raise card_refused(intent["last_payment_error"], shown(state, intent, version))


def unexpected_state(state: StripeState, intent: Object) -> StripeRefusedError:
    """The payment can no longer be paid or given up."""
    refusal = refused(
        f"This PaymentIntent could not be changed because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
    )
    refusal.error["payment_intent"] = shown(state, intent)
    return refusal


def settle_bank(state: StripeState, intent: Object, now: int, *, is_paid: bool) -> None:
    """The bank's answer, days later: the money is there, or never will be."""
    assert intent["status"] == "processing", "only what a bank works on can be settled"
    charge = state.find(CHARGE, intent["latest_charge"])
    intent["processing"] = None
    if not is_paid:
        charge |= _failure("bank")
        emit(state, "charge.failed", charge, now)
        _note_failure(state, intent, charge, reason="bank")
        emit(state, "payment_intent.payment_failed", intent, now)
        return
    charge |= {"status": "succeeded", "paid": True}
    charge |= {"balance_transaction": state.new_id("txn")}
    _note_success(state, intent, now, charge=charge)


def cancel_payment(state: StripeState, intent: Object, now: int, *, reason: str | None) -> None:
    """The payment is given up. Raises: StripeRefusedError where it is over or under way."""
    if intent["status"] in OVER or intent["status"] == "processing":
        raise unexpected_state(state, intent)
    intent |= {"status": "canceled", "canceled_at": now, "cancellation_reason": reason}
    intent["next_action"] = None
    emit(state, "payment_intent.canceled", intent, now)


def _process(state: StripeState, intent: Object, now: int) -> None:
    charge = _new_charge(state, intent, now)
    charge |= {"status": "pending", "paid": False, "captured": True}
    intent |= {"status": "processing", "last_payment_error": None, "next_action": None}
    intent["latest_charge"] = charge["id"]
    emit(state, "payment_intent.processing", intent, now)
    emit(state, "charge.pending", charge, now)


def _succeed(state: StripeState, intent: Object, now: int, *, card: Card) -> None:
    charge = _new_charge(state, intent, now)
    charge["balance_transaction"] = state.new_id("txn")
    _note_success(state, intent, now, charge=charge)
    if card.dispute:
        disputes.open_dispute(state, charge, now, is_inquiry=card.dispute == "inquiry")


def _note_success(state: StripeState, intent: Object, now: int, *, charge: Object) -> None:
    charge["amount_captured"] = charge["amount"]
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "last_payment_error": None,
        "next_action": None,
    }
    emit(state, "charge.succeeded", charge, now)
    emit(state, "payment_intent.succeeded", intent, now)


def _fail(state: StripeState, intent: Object, now: int, *, reason: str) -> None:
    charge = _new_charge(state, intent, now)
    charge |= _failure(reason)
    emit(state, "charge.failed", charge, now)
    _note_failure(state, intent, charge, reason=reason)
    emit(state, "payment_intent.payment_failed", intent, now)


def _failure(reason: str) -> Object:
    is_asked = reason == AUTHENTICATE
    return {
        "status": "failed",
        "paid": False,
        "captured": False,
        "balance_transaction": None,
        "failure_code": AUTHENTICATE if is_asked else "card_declined",
        "failure_message": MESSAGES[reason],
        "receipt_url": None,
        "outcome": {
            "network_status": "declined_by_network",
            "reason": reason,
            "risk_level": "normal",
            "risk_score": 1,
            "seller_message": "The bank declined the payment.",
            "type": "issuer_declined",
        },
    }


def _note_failure(state: StripeState, intent: Object, charge: Object, *, reason: str) -> None:
    code = str(charge["failure_code"])
    intent |= {
        "status": "requires_payment_method",
        "latest_charge": charge["id"],
        "next_action": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": code,
            "decline_code": reason,
            "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
            "message": MESSAGES[reason],
            "payment_method": dict(state.find(PAYMENT_METHOD, intent["payment_method"])),
            "type": "card_error",
        },
        "payment_method": None,
    }


def _ask_customer(state: StripeState, intent: Object, now: int) -> None:
    url = f"{state.page_url}/confirm/{intent['id']}"
    action = {"redirect_to_url": {"return_url": None, "url": url}, "type": "redirect_to_url"}
    intent |= {"status": "requires_action", "last_payment_error": None, "next_action": action}
    emit(state, "payment_intent.requires_action", intent, now)


def _new_charge(state: StripeState, intent: Object, now: int) -> Object:
    method = state.find(PAYMENT_METHOD, intent["payment_method"])
    kind = str(method["type"])
    billing: Object = {"address": dict(NO_ADDRESS), "email": None, "name": None, "phone": None}
    return state.add(
        CHARGE,
        now,
        {
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": billing,
            "calculated_statement_descriptor": "TEST",
            "captured": True,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "destination": None,
            "dispute": None,
            "disputed": False,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "invoice": intent["invoice"],
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "order": None,
            "outcome": {
                "network_status": "approved_by_network",
                "reason": None,
                "risk_level": "normal",
                "risk_score": 1,
                "seller_message": "Payment complete.",
                "type": "authorized",
            },
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {kind: {"last4": method[kind]["last4"]}, "type": kind},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": f"{state.page_url}/stripe",
            "refunded": False,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "succeeded",
            "transfer_data": None,
            "transfer_group": None,
        },
    )
