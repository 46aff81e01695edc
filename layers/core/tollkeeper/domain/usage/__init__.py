"""What a call used, in disjoint token pools, from whatever its provider reported."""

from tollkeeper.domain.usage.normalise import normalise_usage
from tollkeeper.domain.usage.pools import POOL_NAMES, TokenPools
from tollkeeper.domain.usage.report import Usage, UsagePart

__all__ = ["POOL_NAMES", "TokenPools", "Usage", "UsagePart", "normalise_usage"]
