"""What a call used, in disjoint token pools, from whatever its provider reported."""

from tollkeeper.domain.usage.normalise import normalise_usage
from tollkeeper.domain.usage.pools import POOL_NAMES, TokenPools
from tollkeeper.domain.usage.report import COST_ONLY, Usage, UsagePart

__all__ = ["COST_ONLY", "POOL_NAMES", "TokenPools", "Usage", "UsagePart", "normalise_usage"]
