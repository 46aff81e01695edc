"""Refunds through Stripe's SDK."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tollkeeper.domain.errors import NotRefundableError, PaymentsUnavailableError
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.refund_asks import RefundAsk
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_client import asking_stripe, sdk_client
from tollkeeper.edge.stripe_objects import Charge, read_object
from tollkeeper.service.ports import RefundGateway, RefundMade, Secrets

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams


def choose_refunds(settings: Settings, secrets: Secrets) -> RefundGateway:
    """Refunds at Stripe, or at the simulated one on one machine."""
    api_key = secrets.read_secret("STRIPE_SECRET_KEY")
    return SdkRefunds(api_key, api_url=settings.stripe_api or None)


class SdkRefunds:
    """Refunds at Stripe. `api_url` is another server's on one machine."""

    def __init__(self, api_key: str, *, api_url: str | None = None) -> None:
        self._api_key = api_key
        self._api_url = api_url

    def refund(self, purchase: Purchase, ask: RefundAsk) -> RefundMade:
        """The money is on its way back: once, by a key of the purchase and the request.

        Raises: NotRefundableError where Stripe refuses, with its reason; PaymentsUnavailableError
        where it does not answer as it should.
        Cost: one call to Stripe, two where the first one failed.
        """
        if not self._api_key:
            raise PaymentsUnavailableError("Nothing can go back: STRIPE_SECRET_KEY is not set.")
        import stripe

        params: RefundCreateParams = {
            "payment_intent": purchase.payment_intent,
            "amount": ask.amount_minor,
            "metadata": {"purchase_id": purchase.id, "account": purchase.account},
            "expand": ["charge"],
        }
        with asking_stripe("Stripe did not answer; the same request with the same key is safe."):
            try:
                made = sdk_client(self._api_key, self._api_url).v1.refunds.create(
                    params, {"idempotency_key": refund_key(purchase.id, ask)}
                )
            except stripe.InvalidRequestError as error:
                raise NotRefundableError(
                    f"Stripe refuses: {error.user_message or error}"
                ) from error
        charge = read_object(Charge, _members(made.charge), "a refund's charge")
        return RefundMade(
            refund=made.id,
            charge=charge.id,
            payment_intent=charge.payment_intent or purchase.payment_intent,
            charged_minor=charge.charged_minor,
            refunded_minor=charge.amount_refunded,
        )


def refund_key(purchase_id: str, ask: RefundAsk) -> str:
    """Stripe's idempotency key of the request: of the purchase, the caller's key and the amount."""
    digest = hashlib.sha256(f"{purchase_id}\n{ask.key}\n{ask.amount_minor}".encode()).hexdigest()
    return f"refund_{digest[:32]}"


def _members(charge: object) -> dict[str, object]:
    """The expanded charge as plain members."""
    to_dict = getattr(charge, "to_dict", None)
    if to_dict is None:
        raise PaymentsUnavailableError("Stripe made the refund and did not say of which charge.")
    return dict(to_dict())
