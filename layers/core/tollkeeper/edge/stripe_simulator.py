"""The simulated payment page of one machine: its link carries all that the page needs, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from tollkeeper.domain.errors import MalformedError
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.purchases import Purchase
from tollkeeper.domain.url_safe import from_url_safe, to_url_safe
from tollkeeper.service.ports import CheckoutPage

# Why: the webhook's secret signs these links too; what it signs for one is nothing to the other.
PURPOSE = b"simulated checkout page\n"


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """What Stripe would keep of a Checkout session. Units: the currency's smallest."""

    id: str
    purchase: str
    account: str
    name: str
    credits: str
    price_minor: int
    currency: str
    success_url: str
    cancel_url: str


class SimulatedGateway:
    """Stands in for Stripe where no key is configured. Nothing is kept but in the link."""

    def __init__(self, page_url: str, secret: str) -> None:
        self._page_url = page_url
        self._secret = secret

    def open_checkout(
        self, purchase: Purchase, *, success_url: str, cancel_url: str
    ) -> CheckoutPage:
        """A link to the simulated page: always the same one for a purchase."""
        session = SimulatedSession(
            id=f"cs_test_{hashlib.sha256(purchase.id.encode()).hexdigest()[:40]}",
            purchase=purchase.id,
            account=purchase.account,
            name=purchase.pack_name,
            credits=show_micro(purchase.credits_microcredits),
            price_minor=purchase.price_minor,
            currency=purchase.currency,
            success_url=success_url,
            cancel_url=cancel_url,
        )
        token = write_token(session, self._secret)
        return CheckoutPage(url=f"{self._page_url}?session={token}", session=session.id)


def write_token(session: SimulatedSession, secret: str) -> str:
    """The session as a text for a URL, which nobody without the secret can make."""
    body = json.dumps(asdict(session), separators=(",", ":")).encode()
    return f"{to_url_safe(body)}.{to_url_safe(_sign(body, secret))}"


def read_token(token: str, secret: str) -> SimulatedSession:
    """The session that the token carries. Raises: MalformedError for one that we did not make."""
    body_text, _, mark_text = token.partition(".")
    try:
        body, mark = from_url_safe(body_text), from_url_safe(mark_text)
    except ValueError:
        raise MalformedError("This is not the link of a checkout.") from None
    if not secret or not hmac.compare_digest(mark, _sign(body, secret)):
        raise MalformedError("This is not the link of a checkout.")
    return SimulatedSession(**json.loads(body))


def _sign(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), PURPOSE + body, hashlib.sha256).digest()
