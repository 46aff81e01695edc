"""How big an account's own calls are, in a few numbers that every charge moves on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tollkeeper.domain.catalog import Per1kTokens, Rule, Sizes
from tollkeeper.domain.entries import Run
from tollkeeper.domain.rules import Tokens

MOST_SEEN = 8
ENOUGH = 3
SLOWEST = 8
"""After so many calls each new one counts an eighth, so old habits fade."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The sizes of an operation's calls. Units: tokens, or millionths of the rule's unit."""

    calls: int
    mean: int
    low: int
    high: int

    def with_one(self, size: int) -> Seen:
        """One more call of that size; the ends drift back to the mean when nothing reaches them."""
        weight = min(self.calls + 1, SLOWEST)
        mean = self.mean + (size - self.mean) // weight
        low = min(size, self.low + (self.mean - self.low) // (2 * SLOWEST))
        high = max(size, self.high - (self.high - self.mean) // (2 * SLOWEST))
        return Seen(min(self.calls + 1, SLOWEST), mean, min(low, mean), max(high, mean))


SeenSizes = Mapping[str, Seen]


def size_of(run: Run, rule: Rule) -> int | None:
    """How big the run was, as the rule's sizes count; None where it does not say."""
    if isinstance(rule, Per1kTokens | Tokens):
        return run.pools.total() if run.pools is not None else None
    return run.quantity_micro


def see(seen: SeenSizes, operation: str, size: int) -> SeenSizes:
    """The sizes with one more; beyond the bound the operation with the fewest calls is left out.

    Cost: bounded, whatever the account did before.
    """
    known = dict(seen)
    before = known.get(operation)
    if before is None and len(known) >= MOST_SEEN:
        del known[min(known, key=lambda name: (known[name].calls, name))]
    known[operation] = Seen(1, size, size, size) if before is None else before.with_one(size)
    return known


def sharpen(sizes: Sizes, seen: Seen | None) -> Sizes:
    """The sizes that an estimate is made of: what the account showed, once that is enough."""
    if seen is None or seen.calls < ENOUGH:
        return sizes
    mean = max(1, seen.mean)
    return Sizes(max(1, min(seen.low, mean)), mean, max(seen.high, mean))
