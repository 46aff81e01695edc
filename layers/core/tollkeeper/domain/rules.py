"""Price rules that reach beyond one operation: what USD become, machines, volumes, minimums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tollkeeper.domain.book import BookModel, PriceBook
from tollkeeper.domain.money import MICRO
from tollkeeper.domain.patterns import match_best

PERCENT = 100 * MICRO
"""The whole price, in millionths of a percent."""


class UnknownModel(StrEnum):
    """What becomes of a run whose model has no price: it is never free."""

    REJECT = "reject"
    CEILING = "ceiling"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Markups:
    """What a provider's price is multiplied by. Units: millionths; None where nothing is said.

    Shape: `by_model` are pairs of a pattern in lower case and a factor.
    """

    default_micro: int | None = None
    by_provider: Mapping[str, int] = field(default_factory=dict[str, int])
    by_model: tuple[tuple[str, int], ...] = ()

    def find(self, provider: str, names: tuple[str, ...]) -> int | None:
        """The factor for a model of these names: the model's, else its provider's, else all's."""
        found = match_best(self.by_model, names) if self.by_model else None
        if found is None:
            found = self.by_provider.get(provider)
        return self.default_micro if found is None else found


NO_MARKUPS = Markups()


@dataclass(frozen=True, slots=True)
class Prices:
    """How USD become credits, and what models cost. Units: millionths of a USD.

    Shape: `overrides` are pairs of a pattern in lower case and the rates that win over the book.
    """

    book: PriceBook
    usd_per_credit_micro: int
    markups: Markups = Markups(MICRO)
    overrides: tuple[tuple[str, BookModel], ...] = ()
    use_provider_cost: bool = True


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider bills, times a markup, in credits.

    `markups` are the operation's own and win over the catalog's. `output_percent` is the part of
    an estimated size that is written, not read.
    """

    unknown_model: UnknownModel = UnknownModel.REJECT
    markups: Markups = NO_MARKUPS
    output_percent: int = 25


@dataclass(frozen=True, slots=True)
class PerResource:
    """So much for what a run takes of a machine. Units: micro-credits per second, or GB-second.

    A GB is 1,000 MB.
    """

    per_cpu_second: int = 0
    per_gb_second: int = 0
    per_second: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    """What the part of the period's volume above `above_micro` costs of the whole price.

    Units: millionths of a call, a unit or a token; millionths of a percent.
    """

    above_micro: int
    percent_micro: int


@dataclass(frozen=True, slots=True)
class VolumeTerms:
    """What else goes into an operation's price: the same for every rule.

    Units: micro-credits; `free_micro` in millionths of a call, a unit or a token of each period.
    """

    minimum_microcredits: int = 0
    free_micro: int = 0
    tiers: tuple[Tier, ...] = ()

    @property
    def by_volume(self) -> bool:
        """The price depends on what the period has used."""
        return bool(self.free_micro or self.tiers)


NO_TERMS = VolumeTerms()
