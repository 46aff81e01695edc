"""Customer portal sessions: a link to the page on which a customer changes a subscription."""

from __future__ import annotations

from local.stripe.state import CUSTOMER, PORTAL, Object, StripeState


def open_portal(state: StripeState, now: int, *, customer: str, return_url: str | None) -> Object:
    """A link for this customer. Raises: StripeRefusedError where there is no such customer."""
    state.find(CUSTOMER, customer, param="customer")
    session = state.add(
        PORTAL,
        now,
        {
            "configuration": state.new_id("bpc"),
            "customer": customer,
            "flow": None,
            "locale": None,
            "on_behalf_of": None,
            "return_url": return_url,
        },
    )
    session["url"] = f"{state.page_url}/portal/{session['id']}"
    return session
