"""Stripe's pages for customers: Checkout, and the portal for cards and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.purchases import Purchase, PurchaseKind
from tollkeeper.edge.observability import log_alarm
from tollkeeper.edge.settings import Settings
from tollkeeper.edge.stripe_client import asking_stripe, sdk_client
from tollkeeper.service.ports import CheckoutPage, Secrets, StripeGateway

if TYPE_CHECKING:
    from stripe.checkout import Session
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

NO_PAGE = "Stripe did not open a payment page; the same request with the same key is safe."
NO_PORTAL = "Stripe did not open the customer's page; the same request is safe."


def choose_gateway(settings: Settings, secrets: Secrets) -> StripeGateway:
    """Stripe's pages; on one machine those of the Stripe that the settings name."""
    api_key = secrets.read_secret("STRIPE_SECRET_KEY")
    return SdkGateway(api_key, is_live=settings.is_live, api_url=settings.stripe_api or None)


class SdkGateway:
    """Checkout and portal at Stripe. `api_url` is another server's on one machine."""

    def __init__(self, api_key: str, *, is_live: bool, api_url: str | None = None) -> None:
        self._api_key = api_key
        self._is_live = is_live
        self._api_url = api_url

    def open_checkout(
        self,
        purchase: Purchase,
        *,
        success_url: str,
        cancel_url: str,
        interval: str = "",
        saves_card: bool = False,
    ) -> CheckoutPage:
        """A payment page at Stripe: the same one however often it is asked for.

        Raises: PaymentsUnavailableError where Stripe does not answer as it should, or would
        take other money than the purchase recorded: no customer is given such a page.
        Cost: one call to Stripe, two where the first one failed.
        """
        self._refuse_without_key()
        params: SessionCreateParams = {
            "client_reference_id": purchase.id,
            "metadata": _metadata(purchase),
            "line_items": [_line_item(purchase, interval)],
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if purchase.customer:
            params["customer"] = purchase.customer
        if purchase.kind is PurchaseKind.PLAN:
            params["mode"] = "subscription"
            params["subscription_data"] = {"metadata": _metadata(purchase)}
        else:
            _pay_once(params, purchase, saves_card=saves_card)
        with asking_stripe(NO_PAGE):
            session = self._open(params, purchase)
        return self._judge_page(session, purchase)

    def _open(self, params: SessionCreateParams, purchase: Purchase) -> Session:
        """The session; as a new customer's where Stripe does not know the old one any more."""
        import stripe

        sessions = sdk_client(self._api_key, self._api_url).v1.checkout.sessions
        try:
            return sessions.create(params, {"idempotency_key": purchase.id})
        except stripe.InvalidRequestError as error:
            if error.param != "customer" or "customer" not in params:
                raise
        del params["customer"]
        if params.get("mode") == "payment":
            params["customer_creation"] = "always"
        return sessions.create(params, {"idempotency_key": f"{purchase.id}_new"})

    def _judge_page(self, session: Session, purchase: Purchase) -> CheckoutPage:
        """The page, where it takes the money that was recorded and no other."""
        facts = (session.amount_subtotal, session.currency, session.livemode)
        if facts != (purchase.price_minor, purchase.currency, self._is_live) or not session.url:
            sold = purchase.plan or purchase.pack
            log_alarm("price differs at stripe", purchase=purchase.id, sold=sold)
            raise PaymentsUnavailableError(
                f"{sold!r} has another price, currency or mode at Stripe than in the catalog."
            )
        return CheckoutPage(url=session.url, session=session.id)

    def open_portal(self, customer: str, *, return_url: str, key: str) -> str:
        """The URL of the page where this customer changes cards and subscriptions.

        Raises: PaymentsUnavailableError where Stripe does not answer as it should.
        Cost: one call to Stripe, two where the first one failed.
        """
        self._refuse_without_key()
        with asking_stripe(NO_PORTAL):
            session = sdk_client(self._api_key, self._api_url).v1.billing_portal.sessions.create(
                {"customer": customer, "return_url": return_url}, {"idempotency_key": key}
            )
        return session.url

    def _refuse_without_key(self) -> None:
        if not self._api_key:
            raise PaymentsUnavailableError("Nothing can be bought: STRIPE_SECRET_KEY is not set.")


def _pay_once(params: SessionCreateParams, purchase: Purchase, *, saves_card: bool) -> None:
    """The page takes one payment, by a customer who will be known afterwards."""
    params["mode"] = "payment"
    params["payment_intent_data"] = {"metadata": _metadata(purchase)}
    if saves_card:
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
    if not purchase.customer:
        params["customer_creation"] = "always"


def _metadata(purchase: Purchase) -> dict[str, str]:
    """What refunds, disputes and invoices will be recognised by, too."""
    facts = {"purchase_id": purchase.id, "account": purchase.account}
    return facts | ({"plan": purchase.plan} if purchase.plan else {})


def _line_item(purchase: Purchase, interval: str) -> SessionCreateParamsLineItem:
    if purchase.stripe_price:
        return {"price": purchase.stripe_price, "quantity": 1}
    credits = show_micro(purchase.credits_microcredits)
    name = purchase.pack_name if interval else f"{purchase.pack_name}: {credits} credits"
    item: SessionCreateParamsLineItem = {
        "quantity": 1,
        "price_data": {
            "currency": purchase.currency,
            "unit_amount": purchase.price_minor,
            "product_data": {"name": name},
        },
    }
    if interval:
        item["price_data"]["recurring"] = {"interval": "year" if interval == "year" else "month"}
    return item
