"""What a run costs, worked out with fractions from the plain catalog and its price book.

It is a second reading of what the catalog's page promises: slow, exact, and with one rounding at
the very end. It imports nothing of Tollkeeper.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .model_book import Bill, Book, Metered, Model, bill, bill_at, fits, patterns_that_fit
from .model_runs import (
    MICRO,
    Base,
    Charged,
    Consumed,
    Part,
    Standing,
    is_free,
    least_of,
)
from .model_terms import NEEDS, Share, by_volume

__all__ = ["Charged", "Consumed", "Part", "Prices", "Standing", "UnpricedError", "UnsizedError"]

# A family that states no rate for these bills thinking as output, a cached read as a read.
BILLED_AS = {"reasoning": "output", "cached_input": "input"}


class UnpricedError(Exception):
    """The run's model has no price, and its operation refuses such runs."""


class UnsizedError(Exception):
    """The request does not say how large the run was, or says it twice."""


def up(exact: Fraction) -> int:
    """The next whole number: the one rounding there is."""
    return -(-exact.numerator // exact.denominator)


NOBODY = Standing()


class Prices:
    """One catalog with its book."""

    def __init__(self, catalog: Mapping[str, Any], book: Mapping[str, Any] | None = None) -> None:
        self.file = catalog
        self.book = None if book is None else Book(book)
        self.prices: Mapping[str, Any] = catalog.get("prices", {})

    def operation(self, name: str, plan: str = "") -> Mapping[str, Any]:
        """The operation's keys, with those that the plan has its own of."""
        own = self.file["plans"].get(plan, {}).get("prices", {}).get(name, {})
        return {**self.file["operations"][name], **own}

    def feature(self, name: str) -> str:
        """What a plan counts the operation by."""
        return str(self.file["operations"][name].get("feature", name))

    def counts(self, feature: str) -> bool:
        """The period's volume of the feature is counted: some price depends on it."""
        names = [name for name in self.file["operations"] if self.feature(name) == feature]
        tables = [
            self.operation(name, plan) for name in names for plan in ("", *self.file["plans"])
        ]
        return any("free_allowance" in each or "tiers" in each for each in tables)

    def price(self, run: Consumed, standing: Standing = NOBODY) -> Charged:
        """What the run costs on that plan, after that volume. Raises: UnpricedError."""
        operation = self.operation(run.operation, standing.plan)
        base = self.base(run, operation)
        credits = base.credits
        if run.named is None and operation["rule"] != "local":
            shares = base.shares or ((credits, base.volume),)
            credits = by_volume(credits, shares, operation, standing.before)
            credits *= 0 if operation.get("free") else 1
            if not is_free(run, operation, base, standing.before):
                credits = max(credits, least_of(run, operation, standing))
        return Charged(
            micro=up(credits * MICRO),
            usd=base.usd,
            volume=base.volume if self.counts(self.feature(run.operation)) else Fraction(0),
            stands_for=base.stands_for,
            is_pending=base.is_pending,
            warnings=base.warnings,
        )

    def base(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        """The price before anything that depends on what else the account did."""
        rule = operation["rule"]
        if rule == "local":
            return Base(Fraction(0), None, Fraction(0))
        if run.named is not None:
            return Base(run.named, self._usd(run, operation), Fraction(0))
        match rule:
            case "flat":
                return self._flat(run, operation)
            case "per_unit":
                return self._per_unit(run, operation)
            case "per_1k_tokens":
                return self._per_1k(run, operation)
            case "tokens":
                return self._tokens(run, operation)
            case _:
                return self._resource(run, operation)

    # ---- The rules

    def _flat(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        calls = Fraction(1) if run.quantity is None else run.quantity
        if calls.denominator != 1:
            raise UnsizedError
        each = operation.get("credits", 0)
        if "models" in operation:
            each = _family(operation, run.model)["credits"]
        return Base(calls * Fraction(str(each)), self._usd(run, operation), calls)

    def _per_unit(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        units = Fraction(1) if run.quantity is None else run.quantity
        if units.denominator != 1 and not operation.get("fractional"):
            raise UnsizedError
        return Base(units * Fraction(str(operation["credits"])), self._usd(run, operation), units)

    def _per_1k(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        family = _family(operation, run.model)
        if run.used is None or run.quantity is not None:
            raise UnsizedError
        tokens = Fraction(sum(run.used.pools.values()))
        each = Fraction(str(family["credits"]))
        return Base(tokens * each / 1000, self._usd(run, operation), tokens)

    def _resource(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        """CPU time, memory for as long as it was held, and time by the clock."""
        taken = run.resource
        if any(need not in taken for name in NEEDS if name in operation for need in NEEDS[name]):
            raise UnsizedError
        seconds = Fraction(taken.get("duration_ms", 0), 1000)
        sizes = {
            "per_cpu_second": Fraction(taken.get("cpu_ms", 0), 1000),
            "per_gb_second": Fraction(taken.get("mem_mb", 0), 1000) * seconds,
            "per_second": seconds,
        }
        exact = sum(
            (size * Fraction(str(operation.get(name, 0))) for name, size in sizes.items()),
            Fraction(0),
        )
        return Base(exact, run.reported or None, Fraction(1))

    def _tokens(self, run: Consumed, operation: Mapping[str, Any]) -> Base:
        """What the provider bills, times the markup, in credits."""
        if run.used is None or run.quantity is not None:
            raise UnsizedError
        tokens = Fraction(sum(run.used.pools.values()))
        warnings: set[str] = set()
        reported = run.reported
        if reported is not None and not reported:
            warnings.add("zero_provider_cost")
        if reported and self.prices.get("use_provider_cost", True):
            factor = self.markup(self.find(run), run, operation)
            return Base(reported * factor / self._credit(), reported, tokens)
        total, exact, stands_for = Fraction(0), Fraction(0), ""
        shares: list[Share] = []
        for part in run.parts or (Part(None, run.used),):
            billed, factor, stand_in = self._part(run, part, operation, warnings)
            worth = factor / self._credit()
            total, exact = total + billed.usd, exact + billed.usd * worth
            shares += [(usd * worth, Fraction(number)) for usd, number in billed.tokens]
            stands_for = stands_for or stand_in
        return Base(
            exact,
            total,
            tokens,
            tuple(shares),
            stands_for,
            bool(stands_for) and operation.get("unknown_model") == "quarantine",
            frozenset(warnings),
        )

    def _part(
        self, run: Consumed, part: Part, operation: Mapping[str, Any], warnings: set[str]
    ) -> tuple[Bill, Fraction, str]:
        """What the part costs, its markup, and what it was priced as where it is unknown."""
        name = part.model or run.model
        override, model = self.override(name, run), self.find_part(run, part)
        billed = self._at_rates(run, part, override, model)
        known, stands_for = model, ""
        if billed is None or billed.is_unpriced:
            if operation.get("unknown_model", "reject") == "reject":
                raise UnpricedError
            assert self.book is not None
            provider = self.whose(run, name, model)
            billed, stands_for = self._ceiling(run, part, provider)
        if billed.is_plain:
            warnings.add("tier_not_priced")
        # Why: a stand-in lends its rates alone; what is added to them is that of who was called.
        return billed, self.markup(known, run, operation, name), stands_for

    def _ceiling(self, run: Consumed, part: Part, provider: str) -> tuple[Bill, str]:
        """What the dearest model of the provider bills, an operator's own ones among them."""
        assert self.book is not None
        model = self.book.dearest(provider, part.used, run.at, run.tier)
        best, name = bill(model, part.used, run.at, run.tier), model.id
        for override in self.prices.get("overrides", []):
            for pattern in override["patterns"]:
                owner = pattern.rpartition(":")[0]
                mine = bill_at(_rates_of(override), part.used, is_plain=bool(run.tier))
                if owner in ("", provider) and not mine.is_unpriced and mine.usd > best.usd:
                    best, name = mine, pattern
        return best, name

    def _at_rates(
        self, run: Consumed, part: Part, override: Mapping[str, Any] | None, model: Model | None
    ) -> Bill | None:
        """What is billed at the rates that are known: an operator's own, or the book's."""
        if override is not None:
            return bill_at(override, part.used, is_plain=bool(run.tier))
        return None if model is None else bill(model, part.used, run.at, run.tier)

    # ---- What they look up

    def find(self, run: Consumed, name: str | None = None) -> Model | None:
        """The book's model of the run."""
        return None if self.book is None else self.book.find(name or run.model, run.provider)

    def find_part(self, run: Consumed, part: Part) -> Model | None:
        """The book's model of the part. One that it names itself may be of another provider."""
        found = self.find(run, part.model)
        if found is None and part.model is not None and self.book is not None:
            return self.book.find(part.model)
        return found

    def whose(self, run: Consumed, name: str | None, model: Model | None) -> str:
        """The provider: the book's of the model, else what is said, hinted at, or in the name."""
        if model is not None:
            return model.provider
        named = "" if self.book is None else self.book.provider_of(name)
        return run.provider or run.hint or named

    def refuses(self, run: Consumed, plan: str) -> bool:
        """The operation takes no such model on that plan, whatever price is named for it."""
        operation = self.operation(run.operation, plan)
        if operation["rule"] != "tokens" or not run.model:
            return False
        is_known = self.find(run) is not None or self.override(run.model, run) is not None
        return not is_known and operation.get("unknown_model", "reject") == "reject"

    def override(self, name: str | None, run: Consumed) -> Mapping[str, Any] | None:
        """The operator's own rates for the model."""
        model = self.find(run, name)
        names = _names(name, run.provider, model)
        best: list[tuple[bool, int, int]] = []
        for number, each in enumerate(self.prices.get("overrides", [])):
            for pattern in each["patterns"]:
                if any(fits(pattern, called) for called in names):
                    best.append((pattern.lower() in names, len(pattern), -number))
        if not best:
            return None
        return _rates_of(self.prices["overrides"][-max(best)[2]])

    def markup(
        self,
        model: Model | None,
        run: Consumed,
        operation: Mapping[str, Any],
        name: str | None = None,
    ) -> Fraction:
        """The operation's own (or its plan's), else the model's, the provider's, everybody's."""
        provider = self.whose(run, name or run.model, model)
        names = _names(name or run.model, provider, model) if model is None else model.names()
        providers = set[str]() if self.book is None else self.book.providers
        tables: tuple[Mapping[str, Any], ...] = (operation, {"markup": 1, **self.prices})
        for table in tables:
            stated: Mapping[str, Any] = table.get("markups", {})
            patterns = {key: value for key, value in stated.items() if key not in providers}
            best = [*patterns_that_fit(patterns, names)]
            found = patterns[best[-1]] if best else stated.get(provider, table.get("markup"))
            if found is not None:
                return Fraction(str(found))
        raise AssertionError("everybody has one")

    def _credit(self) -> Fraction:
        return Fraction(str(self.prices["usd_per_credit"]))

    def _usd(self, run: Consumed, operation: Mapping[str, Any]) -> Fraction | None:
        """What the run cost in USD, where its charge does not come from that."""
        if run.reported and (self.book is None or self.prices.get("use_provider_cost", True)):
            return run.reported
        if run.used is not None:
            found = self._booked(run)
            if found is None and "models" in operation:
                found = _of_family(_family(operation, run.model), run.used)
            if found is not None:
                return found
        each = operation.get("usd_per_call", operation.get("usd_per_unit"))
        size = Fraction(1) if run.quantity is None else run.quantity
        return None if each is None else Fraction(str(each)) * size

    def _booked(self, run: Consumed) -> Fraction | None:
        """What the book and its overrides say, where they know every model of the run."""
        assert run.used is not None
        if self.book is None:
            return None
        total = Fraction(0)
        for part in run.parts or (Part(None, run.used),):
            rates, model = self.override(part.model or run.model, run), self.find_part(run, part)
            billed = self._at_rates(run, part, rates, model)
            if billed is None or billed.has_gap:
                return None
            total += billed.usd
        return total


def _of_family(family: Mapping[str, Any], used: Metered) -> Fraction | None:
    """What a family's own rates come to; nothing is known where a pool has no rate."""
    rates: Mapping[str, Any] | None = family.get("usd_per_million")
    if rates is None:
        return None
    known = {pool: BILLED_AS.get(pool, pool) for pool in used.pools}
    pools = [pool for pool, tokens in used.pools.items() if tokens]
    if any(pool not in rates and known[pool] not in rates for pool in pools):
        return None
    return bill_at({pool: rates.get(pool, rates.get(known[pool])) for pool in pools}, used).usd


def _names(name: str | None, provider: str, model: Model | None) -> tuple[str, ...]:
    called = (name or "").lower()
    own = (called, f"{provider}:{called}") if provider else (called,)
    return own if model is None else (*own, f"{model.provider}:{called}", *model.names())


def _rates_of(override: Mapping[str, Any]) -> Mapping[str, Any]:
    """An operator's own rates, called as the book calls them."""
    things = {
        "audio_hours": "usd_per_audio_hour",
        "web_searches": "usd_per_1k_searches",
        "requests": "usd_per_1k_requests",
    }
    rates = {name: override[key] for name, key in things.items() if key in override}
    return {**override.get("usd_per_million", {}), **rates}


def _family(operation: Mapping[str, Any], model: str | None) -> Mapping[str, Any]:
    """The family that prices the model. Raises: UnpricedError."""
    name = (model or "").lower()
    found = [
        (pattern.lower() == name, len(pattern), number)
        for number, family in enumerate(operation["models"])
        for pattern in family["patterns"]
        if name and fits(pattern, name)
    ]
    if not found:
        raise UnpricedError
    return operation["models"][max(found)[2]]
