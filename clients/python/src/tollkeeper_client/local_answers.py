"""Answers for operations that run on the user's own machine: nobody is asked, nothing is spent."""

from __future__ import annotations

from decimal import Decimal

from tollkeeper_client.answers import Charge, Check, Estimate, Settlement

EXPLANATION = "Local mode, 0 credits"
_ZERO = Decimal(0)


def check() -> Check:
    """A local run is always allowed. Its account was not asked for a balance."""
    return Check(allowed=True, required=_ZERO, available=None, spendable=None)


def estimate() -> Estimate:
    """A local run costs nothing."""
    return Estimate(min=_ZERO, typical=_ZERO, max=_ZERO, explanation=EXPLANATION)


def charge() -> Charge:
    """Nothing was charged, and nothing written."""
    return Charge(key=None, charged=_ZERO, available=None, held=None, debt=None, seq=None)


def settlement() -> Settlement:
    """Nothing was set aside, charged or written."""
    return Settlement(
        key=None,
        charged=_ZERO,
        available=None,
        held=None,
        debt=None,
        seq=None,
        hold_id=None,
        released=_ZERO,
        uncollected=_ZERO,
        late=False,
    )
