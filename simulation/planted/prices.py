"""Bugs of prices: what is billed, what a period's volume makes of it, and who pays for unknowns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain import charges, roll
from tollkeeper.domain.book import Metered
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import Line
from tollkeeper.domain.pricing import bills, run, tally, terms
from tollkeeper.domain.pricing.bills import Biller, Found
from tollkeeper.domain.pricing.tally import Tally
from tollkeeper.domain.pricing.terms import Volume
from tollkeeper.domain.rates import BookModel, Rate
from tollkeeper.domain.rules import Markups, UnknownModel
from tollkeeper.domain.usage import TokenPools
from tollkeeper.service import charging

# ---- What the provider bills


def _metered_as(patches: Patches, change: Callable[[TokenPools], TokenPools]) -> None:
    own = bills.cost_part

    def cost_part(model: Any, part: Metered, **how: Any) -> Any:
        return own(model, replace(part, pools=change(part.pools)), **how)

    patches.replace(bills, "cost_part", cost_part)


def cached_as_input_too(patches: Patches) -> None:
    """What was read from a cache is billed as a cached read and as input."""
    _metered_as(patches, lambda pools: replace(pools, input=pools.input + pools.cached_input))


def reasoning_twice(patches: Patches) -> None:
    """Thinking is billed as thinking and as output."""
    _metered_as(patches, lambda pools: replace(pools, output=pools.output + pools.reasoning))


def tier_too_early(patches: Patches) -> None:
    """The dearer rates begin at the threshold, not above it."""
    own = Rate.above

    def above(self: Rate, input_tokens: int) -> int:
        return own(self, input_tokens + 1)

    patches.replace(Rate, "above", above)


def first_date_for_ever(patches: Patches) -> None:
    """Rates that changed since stay as they were first."""
    own: Any = vars(BookModel)["_choose"]

    def choose(self: Any, at: Any, service_tier: str) -> Any:
        return 0, own(self, at, service_tier)[1]

    patches.replace(BookModel, "_choose", choose)


def no_service_tier(patches: Patches) -> None:
    """A batch costs what anything costs."""
    own = bills.cost_part

    def cost_part(model: Any, part: Any, *, at: Any, service_tier: str = "") -> Any:
        del service_tier
        return own(model, part, at=at)

    patches.replace(bills, "cost_part", cost_part)


def override_ignored(patches: Patches) -> None:
    """The operator's own rates are not looked at where the book has some."""
    own = Biller.find

    def find(self: Biller, model: str, provider: str, *, is_said: bool) -> Found:
        found = own(self, model, provider, is_said=is_said)
        if not found.is_override:
            return found
        return replace(found, model=self.prices.book.find(model, provider), is_override=False)

    patches.replace(Biller, "find", find)


def free_of_charge(patches: Patches) -> None:
    """A provider that says that its answer cost nothing is believed."""
    own = Biller.bill

    def bill(self: Biller, consumption: Any, usage: Any) -> Any:
        if usage.cost_picousd != 0:
            return own(self, consumption, usage)
        found = self.find_own(consumption)
        return vars(Biller)["_as_reported"](self, 0, found, usage)

    patches.replace(Biller, "bill", bill)


def provider_before_model(patches: Patches) -> None:
    """A provider's markup wins over that of its model."""

    def find(self: Markups, provider: str, names: tuple[str, ...]) -> int | None:
        return self.by_provider.get(provider) or own(self, provider, names)

    own = Markups.find
    patches.replace(Markups, "find", find)


# ---- What the period makes of it


def minimum_forgotten(patches: Patches) -> None:
    """A small run costs less than its minimum."""

    def raise_to(charged: int, lines: tuple[Line, ...], *_: Any) -> Any:
        return charged, lines

    patches.replace(run, "raise_to", raise_to)


def endless_allowance(patches: Patches) -> None:
    """What is free is never used up."""
    own = run.apply_volume

    def apply_volume(worth: Tally, terms_: Any, volume: Volume) -> Tally:
        fresh = replace(volume, before_micro=0) if terms_.free_micro else volume
        return own(worth, terms_, fresh)

    patches.replace(run, "apply_volume", apply_volume)


def tier_of_the_whole(patches: Patches) -> None:
    """Where a run ends in a tier, all of it costs that tier's percent."""

    def cut(terms_: Any, volume: Volume) -> Iterator[Any]:
        pieces = list(own(terms_, volume))
        last = pieces[-1] if pieces else None
        if last is not None and last.percent:
            pieces = [replace(last, start=0)]
        yield from pieces

    own: Any = vars(terms)["_cut"]
    patches.replace(terms, "_cut", cut)


def volume_for_ever(patches: Patches) -> None:
    """The period's end forgets the counters, and not the volumes."""
    own = roll.allocate

    def allocate(draft: Draft, *given: Any, **named: Any) -> None:
        kept = draft.account.volumes
        own(draft, *given, **named)
        draft.account = replace(draft.account, volumes=kept)

    patches.replace(roll, "allocate", allocate)


def void_keeps_volume(patches: Patches) -> None:
    """A charge that was undone stays in the period's volume."""

    def less(volumes: Any, *_: Any) -> Any:
        return volumes

    patches.replace(charges, "_less", less)


def price_of_the_old_plan(patches: Patches) -> None:
    """Who changed the plan goes on at the prices of the plan before."""
    own, plans = charging.standing_now, dict[str, str]()

    def standing_now(account: Any) -> Any:
        first = plans.setdefault(account.id, account.plan.id)
        return replace(own(account), plan=first)

    patches.replace(charging, "standing_now", standing_now)


# ---- Rounding


def rounded_down(patches: Patches) -> None:
    """What is less than a micro-credit is given away."""

    def floor(numerator: int, denominator: int) -> int:
        return numerator // denominator

    patches.replace(tally, "ceil_div", floor)


def rounded_by_line(patches: Patches) -> None:
    """Each line is rounded up, and the charge is what they come to."""

    def rounded(self: Tally) -> tuple[int, tuple[Line, ...]]:
        lines = tuple(
            Line(each.item, each.quantity, each.rate, -(-each.numerator // self.denominator))
            for each in self.shares
        )
        return sum(line.credits_microcredits for line in lines), lines

    patches.replace(Tally, "rounded", rounded)


# ---- Models that nobody knows


def cheapest_stands_in(patches: Patches) -> None:
    """A model that nobody knows is charged as the cheapest."""

    def dearest(book: Any, provider: str, metered: Any, *, at: Any, service_tier: str = "") -> Any:
        known = [*book.models(provider)] or [*book.models()]

        def cost(model: Any) -> int:
            return bills.cost_part(model, metered, at=at, service_tier=service_tier).pico_numerator

        return min(known, key=cost)

    patches.replace(bills, "dearest", dearest)


def quarantined_is_free(patches: Patches) -> None:
    """What waits for its price is not charged until it has one."""
    own: Any = vars(run)["_charge"]

    def charge(operation: Any, worth: Any, volume: Any, *, is_first: bool) -> Any:
        charged, lines, warnings = own(operation, worth, volume, is_first=is_first)
        waits = getattr(operation.rule, "unknown_model", None) is UnknownModel.QUARANTINE
        if waits and worth.bill is not None and worth.bill.stands_for:
            return 0, (), warnings
        return charged, lines, warnings

    patches.replace(run, "_charge", charge)


BUGS = (
    Bug("cached is input too", "a cached read is billed twice", cached_as_input_too),
    Bug("reasoning twice", "thinking is billed as output, too", reasoning_twice),
    Bug("tier too early", "dearer rates begin at the threshold", tier_too_early),
    Bug("first date for ever", "rates that changed stay as they were", first_date_for_ever),
    Bug("no service tier", "a batch costs what anything costs", no_service_tier),
    Bug("override ignored", "the operator's own rates do not count", override_ignored),
    Bug("free of charge", "a reported cost of 0 is believed", free_of_charge),
    Bug(
        "provider before model", "a provider's markup wins over its model's", provider_before_model
    ),
    Bug("minimum forgotten", "a run costs less than its minimum", minimum_forgotten),
    Bug("endless allowance", "what is free is never used up", endless_allowance),
    Bug("tier of the whole", "a tier's percent is of the whole run", tier_of_the_whole),
    Bug("volume for ever", "a period begins with the last one's volume", volume_for_ever),
    Bug("void keeps volume", "what was undone stays in the volume", void_keeps_volume),
    Bug("price of the old plan", "a plan's prices stay after it", price_of_the_old_plan),
    Bug("rounded down", "less than a micro-credit is given away", rounded_down),
    Bug("rounded by line", "each line is rounded", rounded_by_line),
    Bug("cheapest stands in", "an unknown model is charged as the cheapest", cheapest_stands_in),
    Bug("quarantined is free", "what waits for a price is not charged", quarantined_is_free),
)
