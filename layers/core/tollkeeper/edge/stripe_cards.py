"""Payments by saved cards through Stripe's SDK, without the customer being there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.top_ups import CardOutcome, CardPayment
from tollkeeper.edge.observability import log_fact
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_client import asking_stripe, sdk_client
from tollkeeper.service.ports import CardGateway, PageNews, Secrets

if TYPE_CHECKING:
    import stripe

NO_ANSWER = "Stripe did not answer; whether the card was charged is looked up later."
NEEDS_CUSTOMER = frozenset({"authentication_required", "authentication_not_handled"})
OUTCOMES = {
    "succeeded": CardOutcome.PAID,
    "processing": CardOutcome.PENDING,
    "requires_capture": CardOutcome.PENDING,
    "requires_action": CardOutcome.NEEDS_CUSTOMER,
    "requires_confirmation": CardOutcome.NEEDS_CUSTOMER,
}
"""What a payment is by its status; any other one moved no money and will not by itself."""

MOST_PER_PAGE = 100


def choose_cards(settings: Settings, secrets: Secrets) -> CardGateway:
    """The cards saved at Stripe."""
    api_key = secrets.read_secret("STRIPE_SECRET_KEY")
    return SdkCards(api_key, api_url=settings.stripe_api or None)


class SdkCards:
    """Saved cards at Stripe. `api_url` is another server's on one machine."""

    def __init__(self, api_key: str, *, api_url: str | None = None) -> None:
        self._api_key = api_key
        self._api_url = api_url

    def find_card(self, customer: str) -> str:
        """The customer's default card, or the last one that was saved; "" for none.

        A customer whom Stripe does not know, as after a change of its account, has none.
        Raises: PaymentsUnavailableError. Cost: one or two calls to Stripe.
        """
        client = self._client()
        import stripe

        with asking_stripe("Stripe did not say which card the customer has."):
            try:
                found = client.v1.customers.retrieve(customer)
            except stripe.InvalidRequestError:
                return ""
            settings = getattr(found, "invoice_settings", None)
            default = _id_of(getattr(settings, "default_payment_method", None))
            if getattr(found, "deleted", False) or default:
                return default
            cards = client.v1.customers.payment_methods.list(customer, {"type": "card", "limit": 1})
        return cards.data[0].id if cards.data else ""

    def charge(self, purchase: Purchase, *, card: str) -> CardPayment:
        """The price is taken from the card: once, by the purchase's idempotency key.

        What Stripe says for sure is an answer: that the card is declined, that the bank wants the
        customer, that it can take nothing from this card. Anything else is no answer.
        Raises: PaymentsUnavailableError. Cost: one call to Stripe, two where the first one failed.
        """
        client = self._client()
        import stripe

        metadata = {"purchase_id": purchase.id, "account": purchase.account}
        credits = show_micro(purchase.credits_microcredits)
        with asking_stripe(NO_ANSWER):
            try:
                intent = client.v1.payment_intents.create(
                    {
                        "amount": purchase.price_minor,
                        "currency": purchase.currency,
                        "customer": purchase.customer,
                        "payment_method": card,
                        "confirm": True,
                        "off_session": True,
                        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                        "description": f"{purchase.pack_name}: {credits} credits",
                        "metadata": metadata,
                    },
                    {"idempotency_key": f"top_up_{purchase.id}"},
                )
            except stripe.CardError as error:
                return _declined(error)
            except stripe.InvalidRequestError as error:
                return _refused(error)
        return _read(intent)

    def read_payment(self, payment_intent: str) -> CardPayment:
        """What became of the payment. Raises: PaymentsUnavailableError."""
        with asking_stripe("Stripe did not say what became of the payment."):
            return _read(self._client().v1.payment_intents.retrieve(payment_intent))

    def find_payment(self, purchase: Purchase) -> CardPayment | None:
        """The customer's payment since the purchase was made that names it; None for none.

        Raises: PaymentsUnavailableError. Cost: one call per 100 payments of the customer since.
        """
        since = int(purchase.created_at.timestamp()) - 3600
        with asking_stripe("Stripe did not say what the customer paid."):
            page = self._client().v1.payment_intents.list(
                {
                    "customer": purchase.customer,
                    "created": {"gte": since},
                    "limit": MOST_PER_PAGE,
                }
            )
            found = [_read(each) for each in page.auto_paging_iter() if _names(each, purchase.id)]
        # Why: one that is paid or may be is what matters, whatever came to nothing beside it.
        found.sort(key=lambda payment: payment.outcome is CardOutcome.DECLINED)
        return found[0] if found else None

    def cancel(self, payment_intent: str) -> CardPayment:
        """The payment can never be made any more, or is what it had become before.

        Raises: PaymentsUnavailableError. Cost: one call to Stripe, two where it was over.
        """
        client = self._client()
        import stripe

        with asking_stripe("Stripe did not cancel the payment."):
            try:
                intent = client.v1.payment_intents.cancel(
                    payment_intent,
                    {"cancellation_reason": "abandoned"},
                    {"idempotency_key": f"cancel_{payment_intent}"},
                )
            except stripe.InvalidRequestError:
                # Why: it was paid or canceled before; which of the two decides what follows.
                intent = client.v1.payment_intents.retrieve(payment_intent)
        return _read(intent)

    def read_page(self, session: str) -> PageNews:
        """What became of the page. Raises: PaymentsUnavailableError."""
        with asking_stripe("Stripe did not say what became of the page."):
            found = self._client().v1.checkout.sessions.retrieve(session)
        return PageNews(
            status=str(found.status or ""),
            is_paid=found.payment_status in ("paid", "no_payment_required"),
            payment_intent=_id_of(found.payment_intent),
            subtotal_minor=found.amount_subtotal,
            currency=str(found.currency or ""),
            is_live=bool(found.livemode),
        )

    def _client(self) -> stripe.StripeClient:
        if not self._api_key:
            raise PaymentsUnavailableError("No card can be charged: STRIPE_SECRET_KEY is not set.")
        return sdk_client(self._api_key, self._api_url)


def _id_of(value: object) -> str:
    """The id of what Stripe names by its id, or sends whole; "" for none."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(getattr(value, "id", ""))


def _names(intent: stripe.PaymentIntent, purchase: str) -> bool:
    """The payment is for this purchase."""
    metadata: Any = intent.metadata
    return bool(metadata) and "purchase_id" in metadata and metadata["purchase_id"] == purchase


def _read(intent: stripe.PaymentIntent) -> CardPayment:
    error = intent.last_payment_error
    reason = str((error.code if error is not None else "") or intent.status)
    outcome = OUTCOMES.get(intent.status, CardOutcome.DECLINED)
    if intent.status == "requires_payment_method" and reason in NEEDS_CUSTOMER:
        outcome = CardOutcome.NEEDS_CUSTOMER
    return CardPayment(
        outcome=outcome,
        payment_intent=intent.id,
        amount_minor=intent.amount,
        currency=intent.currency,
        is_live=intent.livemode,
        reason="" if outcome is CardOutcome.PAID else reason,
    )


def _declined(error: stripe.CardError) -> CardPayment:
    """What the bank said, with the payment that it is about."""
    reason = str(error.code or "card_declined")
    said = cast("dict[str, Any]", error.json_body or {})
    intent = cast("dict[str, Any]", said.get("error", {}).get("payment_intent") or {})
    needs = reason in NEEDS_CUSTOMER
    log_fact("card declined", reason=reason, payment_intent=str(intent.get("id", "")))
    return CardPayment(
        outcome=CardOutcome.NEEDS_CUSTOMER if needs else CardOutcome.DECLINED,
        payment_intent=str(intent.get("id", "")),
        amount_minor=int(intent.get("amount", 0)),
        currency=str(intent.get("currency", "")),
        is_live=bool(intent.get("livemode", False)),
        reason=reason,
    )


def _refused(error: stripe.InvalidRequestError) -> CardPayment:
    """What Stripe could not even try: the card or the customer is gone, or the amount is too low.

    Raises: the error where it does not say that nothing was taken.
    """
    if error.http_status not in (400, 404):
        raise error
    log_fact("card refused", reason=str(error.code), detail=str(error)[:300])
    return CardPayment(CardOutcome.DECLINED, reason=str(error.code or "invalid_request"))
