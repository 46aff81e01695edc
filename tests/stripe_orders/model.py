"""What must be left in the end, from the facts alone: fractions, sets, and no code of the product.

Of each purchase it is known what Stripe ever said: that it was paid, what was charged, the largest
sum of refunds, and how each dispute stands. The order in which it was said is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that Stripe said about a purchase. Units: the currency's smallest unit.

    `what`: paid, pending, failed, expired, charged, refunded (all of it so far), or of the dispute
    `dispute`: asked, withdrawn, won.
    """

    what: str
    minor: int = 0
    dispute: str = ""


@dataclass(frozen=True, slots=True)
class Sold:
    """What was offered. Units: micro-credits; the currency's smallest unit."""

    credits: int
    price: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a purchase. `moved` are the credits that it brought in all."""

    status: str
    moved: int


def end_of(sold: Sold, facts: Iterable[Fact]) -> Ended:
    """How the purchase stands, and what it brought, once all of this was said."""
    said = set(facts)
    names = {fact.what for fact in said}
    if "paid" not in names:
        order = ("failed", "expired", "pending")
        return Ended(next((name for name in order if name in names), "created"), 0)
    charged = max((f.minor for f in said if f.what == "charged"), default=sold.price)
    refunded = max((f.minor for f in said if f.what == "refunded"), default=0)
    won = {f.dispute for f in said if f.what == "won"}
    held = {
        f.dispute: max(g.minor for g in said if g.dispute == f.dispute)
        for f in said
        if f.what == "withdrawn" and f.dispute not in won
    }
    back = min(Fraction(charged), Fraction(refunded + sum(held.values())))
    taken = floor(Fraction(sold.credits) * back / charged) if charged else 0
    status = "paid"
    if held:
        status = "disputed"
    elif back:
        status = "refunded" if back >= charged else "partially_refunded"
    return Ended(status, sold.credits - taken)
