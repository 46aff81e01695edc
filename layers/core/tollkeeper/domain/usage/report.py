"""What a call used, as it is priced: tokens by pool, time, searches, the cost if one is said."""

from __future__ import annotations

from dataclasses import dataclass

from tollkeeper.domain.usage.pools import TokenPools

# The warning of a report that says what the call cost, and not one count of what it used.
COST_ONLY = "cost_only"


@dataclass(frozen=True, slots=True)
class UsagePart:
    """What one model of several used. `model` is None where it is the run's own."""

    model: str | None
    pools: TokenPools
    web_searches: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, and how far the report could be believed.

    Shape: `pools` holds every token, whichever model used it; `parts` says which did, and is empty
    where one model did all. `model` is what the provider's body names, None where only counts were
    sent; `provider` what the shape of the report proves, "" where it proves none. `cost_picousd` is
    what the provider says it billed, None where it does not say. `service_tier` is "", "batch",
    "flex", "priority" or "fast". `warnings` are stable codes of what did not add up, in the order
    they were noticed.
    Units: `cost_picousd` in 10^-12 USD, `seconds_micro` in 10^-6 s, both rounded up.
    """

    pools: TokenPools
    model: str | None
    cost_picousd: int | None
    warnings: tuple[str, ...]
    seconds_micro: int | None = None
    web_searches: int = 0
    requests: int = 1
    provider: str = ""
    service_tier: str = ""
    parts: tuple[UsagePart, ...] = ()

    def __post_init__(self) -> None:
        assert self.pools.least() >= 0, self.pools
        assert self.cost_picousd is None or self.cost_picousd >= 0, self.cost_picousd
        assert self.seconds_micro is None or self.seconds_micro >= 0, self.seconds_micro
