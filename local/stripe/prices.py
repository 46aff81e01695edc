"""Prices and their products, made beforehand or inline with what is sold."""

from __future__ import annotations

from local.stripe.state import PREFIXES, PRICE, Object, StripeState


def add_price(
    state: StripeState,
    now: int,
    *,
    amount: int,
    currency: str,
    name: str,
    interval: str | None = None,
    lookup_key: str | None = None,
    id_: str | None = None,
    is_inline: bool = False,
) -> Object:
    """A price, kept. `interval` is `month` or `year` where it comes again; None where it is once.

    Why: a price that was made inline cannot be used again; Stripe shows it as not active.
    """
    recurring: Object | None = None
    if interval is not None:
        recurring = {
            "aggregate_usage": None,
            "interval": interval,
            "interval_count": 1,
            "trial_period_days": None,
            "usage_type": "licensed",
        }
    price = state.add(
        PRICE,
        now,
        {
            "active": not is_inline,
            "billing_scheme": "per_unit",
            "currency": currency,
            "lookup_key": lookup_key,
            "metadata": {},
            "nickname": name,
            "product": state.new_id("prod", length=14),
            "recurring": recurring,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time" if recurring is None else "recurring",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        },
    )
    if id_ is not None:
        kept = state.all_of(PRICE)
        del kept[str(price["id"])]
        price["id"] = id_
        kept[id_] = price
        state.touched.add((PRICE, id_))
    assert str(price["id"]).startswith(PREFIXES[PRICE]), "an id of a price"
    return price


def as_plan(price: Object) -> Object:
    """The price as older versions show it beside itself: as a plan."""
    recurring: Object = price["recurring"]
    shared = ("active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname")
    return {
        "id": price["id"],
        "object": "plan",
        **{name: price[name] for name in (*shared, "product", "tiers_mode")},
        "aggregate_usage": None,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
