"""Events: what Stripe tells of a change, in the shape of the endpoint's API version."""

from __future__ import annotations

import copy

from local.stripe.shapes import shown
from local.stripe.state import Object, StripeState


def emit(
    state: StripeState, type_: str, about: Object, now: int, *, previous: Object | None = None
) -> Object:
    """The event is the newest one: the object as it is now, which no later change reaches."""
    data: Object = {"object": copy.deepcopy(shown(state, about))}
    if previous is not None:
        data["previous_attributes"] = copy.deepcopy(previous)
    event: Object = {
        "id": state.new_id("evt"),
        "object": "event",
        "api_version": state.api_version,
        "created": now,
        "data": data,
        "livemode": state.is_live,
        "pending_webhooks": 1,
        "request": {
            "id": state.new_id("req", length=14) if state.request_key else None,
            "idempotency_key": state.request_key,
        },
        "type": type_,
    }
    state.events.append(event)
    return event
