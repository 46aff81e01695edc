"""What a provider bills for a run, in USD, and what is charged for each of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from tollkeeper.domain.book import (
    COST_DENOMINATOR,
    REQUEST,
    BookModel,
    Cost,
    CostLine,
    Metered,
    cost_part,
    dearest,
)
from tollkeeper.domain.money import MICRO, ceil_div, show_micro, show_usd
from tollkeeper.domain.patterns import match_best
from tollkeeper.domain.pricing.consumption import Consumption
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.rules import Markups, Prices, UnknownModel
from tollkeeper.domain.usage import POOL_NAMES, Usage

ZERO_PROVIDER_COST = "zero_provider_cost"
CEILING, QUARANTINED = "unknown_model_ceiling", "unknown_model_quarantined"
PENDING = "unknown_model"
_POOLS = frozenset(POOL_NAMES)


class UnpricedModelError(Exception):
    """No rates are known for a model, and nothing stands in for them. Never leaves this room."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider bills, exactly. Units: pico-USD over COST_DENOMINATOR.

    Shape: `factors` are the markups of the lines, one each, in millionths. `by_book`: dated rates
    of the price book were used. `stands_for` is the model whose rates stood in for unknown ones.
    """

    shares: tuple[Share, ...]
    factors: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    provider: str = ""
    by_book: bool = False
    stands_for: str = ""

    @property
    def picousd(self) -> int:
        """What is billed in whole pico-USD, rounded up."""
        return ceil_div(sum(share.numerator for share in self.shares), COST_DENOMINATOR)

    def to_tally(self, usd_per_credit_micro: int) -> Tally:
        """The price in credits: each line times its markup, over what a credit is worth."""
        shares = tuple(
            Share(
                share.item,
                share.quantity,
                _marked(share.rate, factor),
                share.numerator * factor,
                share.volume_micro,
            )
            for share, factor in zip(self.shares, self.factors, strict=True)
        )
        return Tally(shares, MICRO * COST_DENOMINATOR * usd_per_credit_micro)


@lru_cache(maxsize=4096)
def _marked(rate: str, factor: int) -> str:
    return rate if factor == MICRO else f"{rate} x {show_micro(factor)}"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a model by name: its rates, where any are, and what markups call it."""

    label: str
    model: BookModel | None
    names: tuple[str, ...]
    provider: str
    is_override: bool = False


@dataclass(frozen=True, slots=True)
class Biller:
    """How a run is billed: the prices, the operation's own markups, and what an unknown model is.

    `policy` None: it is not billed at all, because the run is not priced by what it costs.
    """

    prices: Prices
    markups: Markups | None = None
    policy: UnknownModel | None = None

    @property
    def takes_unknown(self) -> bool:
        """A model without rates is billed as the dearest."""
        return self.policy in (UnknownModel.CEILING, UnknownModel.QUARANTINE)

    def takes_report(self, usage: Usage) -> bool:
        """What the provider says it billed is what counts."""
        return bool(usage.cost_picousd) and self.prices.use_provider_cost

    def bill(self, consumption: Consumption, usage: Usage) -> Bill:
        """What the provider bills for the usage. Raises: UnpricedModelError."""
        found = self.find_own(consumption)
        reported = usage.cost_picousd
        if reported is not None and self.takes_report(usage):
            return self._as_reported(reported, found, usage)
        at = consumption.moment
        assert at is not None, "rates have a date, so a price has a moment"
        parts = list(self._parts(usage, found))
        costs = [self._cost(each, metered, at, consumption.tier) for each, metered in parts]
        bill = self._join(parts, costs, found)
        if reported is not None and self.prices.use_provider_cost:
            return replace(bill, warnings=(*bill.warnings, ZERO_PROVIDER_COST))
        return bill

    def find_own(self, consumption: Consumption) -> Found:
        """What is known of the run's own model."""
        return self.find(
            consumption.model_name,
            consumption.known_provider,
            is_said=bool(consumption.provider),
        )

    def find(self, model: str, provider: str, *, is_said: bool) -> Found:
        """What is known of the model. Why: what a usage says of its provider is only a hint."""
        book = self.prices.book
        found = book.find(model, provider) if model else None
        if found is None and provider and not is_said and model:
            found = book.find(model)
        if found is not None:
            provider = found.provider
        elif model and not provider:
            # What is proof of a provider counts for its markup and for its dearest model alike.
            provider = book.provider_of(model)
        names = _names_of(model, provider, found)
        if self.prices.overrides and model:
            own = match_best(self.prices.overrides, names)
            if own is not None:
                return Found(model, own, names, provider, is_override=True)
        return Found(model, found, names, provider)

    def factor_of(self, found: Found) -> int:
        """What the provider's price is multiplied by. Units: millionths."""
        own = None if self.markups is None else self.markups.find(found.provider, found.names)
        if own is None:
            own = self.prices.markups.find(found.provider, found.names)
        return MICRO if own is None else own

    def _as_reported(self, picousd: int, found: Found, usage: Usage) -> Bill:
        name = found.label or "usage"
        rate, numerator = f"{show_usd(picousd)} USD", picousd * COST_DENOMINATOR
        volume = usage.pools.total() * MICRO
        share = Share(f"{name} as reported", "1", rate, numerator, volume)
        return Bill((share,), (self.factor_of(found),), provider=found.provider)

    def _parts(self, usage: Usage, found: Found) -> Iterator[tuple[Found, Metered]]:
        """What each model used; what no part claims was used by the first.

        Why: whose the run's own model is was said, and is only a hint for the models of its parts.
        """
        if not usage.parts:
            yield (
                found,
                Metered(usage.pools, usage.seconds_micro, usage.web_searches, usage.requests),
            )
            return
        searches = usage.web_searches - sum(part.web_searches for part in usage.parts)
        seconds, requests = usage.seconds_micro, usage.requests
        for part in usage.parts:
            own = found
            if part.model is not None:
                own = self.find(part.model, found.provider, is_said=False)
            yield own, Metered(part.pools, seconds, part.web_searches + max(0, searches), requests)
            searches, seconds, requests = 0, None, 0

    def _cost(
        self, found: Found, metered: Metered, at: datetime, service_tier: str
    ) -> tuple[Cost, BookModel]:
        """What the model bills, or what stands in for it. Raises: UnpricedModelError."""
        if found.model is not None:
            cost = cost_part(found.model, metered, at=at, service_tier=service_tier)
            if _prices(cost):
                return cost, found.model
        if not self.takes_unknown:
            raise UnpricedModelError(found.label)
        return self._ceiling(found, metered, at, service_tier)

    def _ceiling(
        self, found: Found, metered: Metered, at: datetime, service_tier: str
    ) -> tuple[Cost, BookModel]:
        """What the dearest model of the provider bills. Raises: UnpricedModelError without any."""
        book = self.prices.book
        models = [own for _, own in self.prices.overrides if own.provider in ("", found.provider)]
        if next(iter(book.models()), None) is not None:
            models.append(dearest(book, found.provider, metered, at=at, service_tier=service_tier))
        costs = [
            (cost_part(model, metered, at=at, service_tier=service_tier), model) for model in models
        ]
        costs = [(cost, model) for cost, model in costs if _prices(cost)]
        if not costs:
            raise UnpricedModelError(found.label)
        return max(costs, key=lambda pair: pair[0].pico_numerator)

    def _join(
        self,
        parts: list[tuple[Found, Metered]],
        costs: list[tuple[Cost, BookModel]],
        found: Found,
    ) -> Bill:
        shares: list[Share] = []
        factors: list[int] = []
        warnings: list[str] = []
        stands_for, by_book = "", False
        for (each, _), (cost, model) in zip(parts, costs, strict=True):
            factor = self.factor_of(each)
            label = each.label or model.id
            shares += [_to_share(label, line) for line in cost.lines]
            factors += [factor] * len(cost.lines)
            warnings += cost.warnings
            if model is not each.model:
                stands_for = stands_for or model.id
            by_book = by_book or not (each.is_override and model is each.model)
        if stands_for:
            warnings.append(QUARANTINED if self.policy is UnknownModel.QUARANTINE else CEILING)
        return Bill(
            shares=tuple(shares),
            factors=tuple(factors),
            warnings=tuple(dict.fromkeys(warnings)),
            provider=found.provider,
            by_book=by_book,
            stands_for=stands_for,
        )


def _prices(cost: Cost) -> bool:
    """Some of what was used has a rate, or nothing was used that needs one."""
    return not cost.unpriced or any(_is_of_use(line) for line in cost.lines)


def _is_of_use(line: CostLine) -> bool:
    """The line bills something that was used. Why: a fee alone must not hide tokens of no rate."""
    return line.what != REQUEST and line.pico_numerator > 0


def _to_share(label: str, line: CostLine) -> Share:
    item = f"{label} {line.what.replace('_', ' ')}"
    volume = int(line.quantity) * MICRO if line.what in _POOLS else 0
    return Share(item, line.quantity, line.rate, line.pico_numerator, volume)


def _names_of(model: str, provider: str, found: BookModel | None) -> tuple[str, ...]:
    """The model as the request and as the book call it, bare and with its provider."""
    names = [model.casefold()] if model else []
    if found is not None and found.id.casefold() not in names:
        names.append(found.id.casefold())
    if provider:
        names += [f"{provider}:{name}" for name in names]
    return tuple(names)


def known_models(prices: Prices, model: str, provider: str, most: int) -> tuple[str, ...]:
    """Some models that have a price, the likest names first, for a refusal to name.

    Why: of a name such as groq/compound the provider's models are meant, and not Grok's.
    """
    book = prices.book
    said, _, rest = model.casefold().partition("/")
    if not provider and next(iter(book.models(said)), None) is not None:
        provider = said
    names: Iterable[str] = (each.id for each in book.models(provider))
    sellers = ("", provider)
    own = (
        pattern for pattern, each in prices.overrides if not provider or each.provider in sellers
    )
    listed = list(dict.fromkeys([*own, *names]))
    wanted = (model.casefold(), rest)
    listed.sort(key=lambda name: (-max(_shared(name.casefold(), each) for each in wanted), name))
    return tuple(listed[:most])


def _shared(one: str, other: str) -> int:
    """How many letters two names begin with together."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
