"""The simulated Stripe of `make run`: made where nobody gave a key for the real one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from local.stripe.desk import FILE, KEY, Desk
from local.stripe.prices import add_price
from local.stripe.site import API_PATH
from local.stripe.state import PRICE, StripeState
from tollkeeper.domain.catalog import Catalog


def defaults(url: str) -> dict[str, str]:
    """The environment in which the functions' SDK finds this Stripe; empty where a key was given.

    Why: the functions know one Stripe and ask it through the SDK; only its address is another.
    """
    if not is_simulated():
        return {}
    return {"STRIPE_SECRET_KEY": KEY, "STRIPE_API_URL": url + API_PATH.rstrip("/")}


def is_simulated() -> bool:
    """Checkout goes to this machine's own Stripe."""
    return os.environ.get("STRIPE_SECRET_KEY") in (None, "", KEY)


def make_desk(
    *, url: str, folder: Path, catalog: Catalog, log: Callable[[str], None]
) -> Desk | None:
    """This machine's Stripe, which the folder keeps, with the catalog's prices."""
    if not is_simulated():
        return None
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "").partition(",")[0].strip()
    desk = Desk(page_url=url + "/_local", secret=secret, path=folder / FILE, log=log)
    desk.change(lambda state, now: keep_prices(state, catalog, now))
    return desk


def keep_prices(state: StripeState, catalog: Catalog, now: int) -> None:
    """Every price that the catalog names is there, with what the catalog says it costs.

    Why: a plan without a price of its own has one with its id as lookup key, to upgrade to.
    """
    for pack in catalog.packs.values():
        if pack.stripe_price:
            _remove(state, pack.stripe_price)
            add_price(
                state,
                now,
                amount=pack.price_minor,
                currency=pack.currency,
                name=pack.name,
                id_=pack.stripe_price,
            )
    for plan in catalog.plans.values():
        if plan.sale is None:
            continue
        for old in state.where(PRICE, lookup_key=plan.id):
            _remove(state, str(old["id"]))
        add_price(
            state,
            now,
            amount=plan.sale.price_minor,
            currency=plan.sale.currency,
            name=plan.name,
            interval=plan.sale.interval,
            lookup_key=plan.id,
            id_=plan.sale.stripe_price or None,
        )


def _remove(state: StripeState, price: str) -> None:
    if state.all_of(PRICE).pop(price, None) is not None:
        state.touched.add((PRICE, price))
