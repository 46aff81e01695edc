"""A price in the making: exact lines over one denominator, and the one rounding at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.entries import Line
from tollkeeper.domain.money import ceil_div


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a price.

    Units: micro-credits are `numerator` over the tally's denominator; `volume_micro` in millionths
    of the call, units or tokens that it is for, 0 where it is for something else.
    """

    item: str
    quantity: str
    rate: str
    numerator: int
    volume_micro: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The exact price of a run, line by line. What it takes off stands in negative lines."""

    shares: tuple[Share, ...]
    denominator: int = 1

    @property
    def numerator(self) -> int:
        """What all lines come to, over the denominator."""
        return sum(share.numerator for share in self.shares)

    def scaled(self, factor: int, *more: Share) -> Tally:
        """The same price over a denominator so many times as large, and more lines over it."""
        shares = tuple(replace(each, numerator=each.numerator * factor) for each in self.shares)
        return Tally((*shares, *more), self.denominator * factor)

    def rounded(self) -> tuple[int, tuple[Line, ...]]:
        """The price rounded up once, and lines whose credits add up to it.

        Why: each line has what it raises the rounded sum by, so no rounding is lost or doubled.
        """
        exact = rounded = 0
        lines: list[Line] = []
        for share in self.shares:
            exact += share.numerator
            before, rounded = rounded, ceil_div(exact, self.denominator)
            lines.append(Line(share.item, share.quantity, share.rate, rounded - before))
        return rounded, tuple(lines)
