"""What a run costs: the rule of its operation applied to what it used, rounded once."""

from tollkeeper.domain.pricing.consumption import (
    NOBODY,
    Consumption,
    Standing,
    consumption_of,
    standing_now,
    standing_of,
)
from tollkeeper.domain.pricing.estimates import Estimate, estimate_run, typical_run
from tollkeeper.domain.pricing.run import Priced, describe_run, price_run
from tollkeeper.domain.pricing.worth import LOCAL_EXPLANATION

__all__ = [
    "LOCAL_EXPLANATION",
    "NOBODY",
    "Consumption",
    "Estimate",
    "Priced",
    "Standing",
    "consumption_of",
    "describe_run",
    "estimate_run",
    "price_run",
    "standing_now",
    "standing_of",
    "typical_run",
]
