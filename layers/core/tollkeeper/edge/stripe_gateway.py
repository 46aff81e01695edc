"""Stripe's Checkout through its SDK, which is imported when a page is opened and not before."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.purchases import Purchase
from tollkeeper.edge.observability import log_alarm
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_simulator import SimulatedGateway
from tollkeeper.service.ports import CheckoutPage, Secrets, StripeGateway

if TYPE_CHECKING:
    import stripe
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

# Why: two tries fit the function's 15 seconds; the SDK itself would wait 80 for each.
TIMEOUT_S = 6
RETRIES = 1


def choose_gateway(settings: Settings, secrets: Secrets) -> StripeGateway:
    """Stripe; or the simulated page on one machine that has no key for it."""
    api_key = secrets.read_secret("STRIPE_SECRET_KEY")
    if not api_key and settings.stage == "local" and settings.checkout_simulator_url:
        secret = secrets.read_secret("STRIPE_WEBHOOK_SECRET").partition(",")[0].strip()
        return SimulatedGateway(settings.checkout_simulator_url, secret)
    return SdkGateway(api_key, is_live=settings.is_live)


@lru_cache(maxsize=4)
def sdk_client(api_key: str, api_url: str | None) -> stripe.StripeClient:
    """One SDK client per process, with its connections."""
    import stripe

    http_client = stripe.RequestsClient(timeout=TIMEOUT_S)
    return stripe.StripeClient(
        api_key,
        http_client=http_client,
        max_network_retries=RETRIES,
        base_addresses={"api": api_url} if api_url else None,
    )


class SdkGateway:
    """Checkout at Stripe. `api_url` is another server's in tests."""

    def __init__(self, api_key: str, *, is_live: bool, api_url: str | None = None) -> None:
        self._api_key = api_key
        self._is_live = is_live
        self._api_url = api_url

    def open_checkout(
        self, purchase: Purchase, *, success_url: str, cancel_url: str
    ) -> CheckoutPage:
        """A payment page at Stripe: the same one however often it is asked for.

        Raises: PaymentsUnavailableError where Stripe does not answer as it should, or would
        take other money than the purchase recorded: no customer is given such a page.
        Cost: one call to Stripe, two where the first one failed.
        """
        if not self._api_key:
            raise PaymentsUnavailableError("No pack can be bought: STRIPE_SECRET_KEY is not set.")
        import stripe

        params: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": purchase.id,
            "metadata": _metadata(purchase),
            "payment_intent_data": {"metadata": _metadata(purchase)},
            "line_items": [_line_item(purchase)],
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        try:
            session = sdk_client(self._api_key, self._api_url).v1.checkout.sessions.create(
                params, {"idempotency_key": purchase.id}
            )
        except stripe.StripeError as error:
            log_alarm("stripe refused", kind=type(error).__name__, reason=str(error)[:500])
            raise PaymentsUnavailableError(
                "Stripe did not open a payment page; the same request with the same key is safe."
            ) from error
        facts = (session.amount_subtotal, session.currency, session.livemode)
        if facts != (purchase.price_minor, purchase.currency, self._is_live) or not session.url:
            log_alarm("price differs at stripe", purchase=purchase.id, pack=purchase.pack)
            raise PaymentsUnavailableError(
                f"The pack {purchase.pack!r} has another price, currency or mode at Stripe."
            )
        return CheckoutPage(url=session.url, session=session.id)


def _metadata(purchase: Purchase) -> dict[str, str]:
    """What refunds and disputes will be recognised by, too."""
    return {"purchase_id": purchase.id, "account": purchase.account}


def _line_item(purchase: Purchase) -> SessionCreateParamsLineItem:
    if purchase.stripe_price:
        return {"price": purchase.stripe_price, "quantity": 1}
    credits = show_micro(purchase.credits_microcredits)
    return {
        "quantity": 1,
        "price_data": {
            "currency": purchase.currency,
            "unit_amount": purchase.price_minor,
            "product_data": {"name": f"{purchase.pack_name}: {credits} credits"},
        },
    }
