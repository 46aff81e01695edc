"""Counts that the caller made, by the names of our pools: held to the letter."""

from __future__ import annotations

from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.usage.pools import POOL_NAMES, TokenPools
from tollkeeper.domain.usage.sheet import MOST_TOKENS, Sheet, token_count

# What a refusal repeats of a member that the caller made up.
LONGEST_NAME = 64
PLAIN = frozenset(POOL_NAMES) | {"total"}


def read_plain(sheet: Sheet, usage: dict[str, object]) -> TokenPools:
    """The pools as they are counted. Raises: InvalidError, since the caller can correct them."""
    counts = {name: _count(name, value) for name, value in usage.items()}
    sheet.notes.understood = True
    total = counts.pop("total", None)
    if total is not None and not counts:
        sheet.warn("total_only")
        return TokenPools(input=total)
    pools = TokenPools(**counts)
    if total is not None and total != pools.total():
        raise InvalidError("usage.total", f"must be the sum of the pools, {pools.total()}")
    return pools


def _count(name: str, value: object) -> int:
    if name not in PLAIN:
        known = ", ".join((*POOL_NAMES, "total"))
        raise InvalidError(f"usage.{name[:LONGEST_NAME]}", f"is no token pool; known are {known}")
    tokens = token_count(value)
    if tokens is None:
        reason = f"must be a whole number of tokens from 0 to {MOST_TOKENS}"
        raise InvalidError(f"usage.{name}", reason)
    return tokens
