"""What changes from one price book to the next, and which changes are too large to go unasked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from tollkeeper.domain.book import BookModel, PriceBook
from tollkeeper.domain.rates import ATTO_PER_USD, RATE_NAMES, SERVICE_TIERS, Rate

# Before any day that a price is dated with, and not the first there is: zones need a day before.
ALWAYS = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Change:
    """A rate that is another one from a moment on. Units: atto-dollars; None is no rate at all.

    Shape: `when` says service tier, size and time, where the change is not of every request.
    """

    model: str
    rate: str
    when: str
    old_atto: int | None
    new_atto: int | None

    def exceeds(self, limit_percent: int) -> bool:
        """The change is of more than so many percent. One from or to no rate always is."""
        if not self.old_atto or self.new_atto is None:
            return self.old_atto != self.new_atto
        change = abs(Fraction(self.new_atto - self.old_atto, self.old_atto))
        return change * 100 > limit_percent

    def show(self) -> str:
        """The change as a line: `openai gpt-5: input 1.25 -> 1.5 (+20.0 %)`."""
        percent = ""
        if self.old_atto and self.new_atto is not None:
            permille = Fraction(self.new_atto - self.old_atto, self.old_atto) * 1000
            percent = f" ({'+' if permille > 0 else '-'}{_show_tenth(abs(round(permille)))} %)"
        rates = f"{_show_usd(self.old_atto)} -> {_show_usd(self.new_atto)}"
        return f"{self.model}: {self.rate}{self.when} {rates}{percent}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two books."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def refusals(self, limit_percent: int) -> list[str]:
        """What nobody should learn of by accident, a line each."""
        gone = [f"{model} is no longer in the book" for model in self.removed]
        return gone + [each.show() for each in self.changes if each.exceeds(limit_percent)]


def compare_books(old: PriceBook | None, new: PriceBook) -> Comparison:
    """The models that came and went, and each rate of the others that is another one."""
    before = _by_key(old) if old else {}
    after = _by_key(new)
    changes = [
        change
        for key, model in after.items()
        if key in before
        for change in _compare_models(key, before[key], model)
    ]
    return Comparison(
        added=tuple(key for key in after if key not in before),
        removed=tuple(key for key in before if key not in after),
        changes=tuple(changes),
    )


def _by_key(book: PriceBook) -> dict[str, BookModel]:
    return {f"{model.provider} {model.id}": model for model in book.models()}


def _compare_models(key: str, old: BookModel, new: BookModel) -> Iterator[Change]:
    """Each change once, at the first moment from which it holds."""
    if old.minimum_seconds != new.minimum_seconds:
        yield Change(
            key,
            "minimum seconds",
            "",
            old.minimum_seconds * ATTO_PER_USD,
            new.minimum_seconds * ATTO_PER_USD,
        )
    if old.prices == new.prices and old.variants == new.variants:
        return
    told: dict[tuple[str, str, int], tuple[int | None, int | None]] = {}
    tiers = [tier for tier in SERVICE_TIERS if tier in old.variants or tier in new.variants]
    for at in _moments((old, new)):
        for tier in ("", *tiers):
            for name, size, was, now in _compare_at(old, new, at, tier):
                if told.get((name, tier, size), (None, None)) == (was, now):
                    continue
                told[name, tier, size] = (was, now)
                if was != now:
                    yield Change(key, name, _when(tier, size, at), was, now)


def _compare_at(
    old: BookModel, new: BookModel, at: datetime, tier: str
) -> Iterator[tuple[str, int, int | None, int | None]]:
    """Each rate that either states then, for each size of a request: the old and the new one."""
    before, after = old.applied(at, tier), new.applied(at, tier)
    had = {**before.by_pool, **before.by_count}
    have = {**after.by_pool, **after.by_count}
    for name in RATE_NAMES:
        if name in before.stated or name in after.stated:
            was, now = had.get(name), have.get(name)
            for size in _sizes(was, now):
                yield name, size, was and was.above(size), now and now.above(size)


def _sizes(*rates: Rate | None) -> list[int]:
    """A request below every threshold, and one just above each."""
    above = {threshold + 1 for rate in rates if rate for threshold, _ in rate.tiers}
    return [0, *sorted(above)]


def _moments(models: Iterable[BookModel]) -> list[datetime]:
    """A moment in every stretch of time in which the rates of the models stay the same."""
    days, seconds = {ALWAYS}, {0}
    for model in models:
        for dated in (*model.prices, *(each for of in model.variants.values() for each in of)):
            if dated.effective_from:
                days.add(dated.effective_from)
            seconds |= set(dated.hours or ())
    return [
        datetime.combine(day, time(), UTC) + timedelta(seconds=second)
        for day in sorted(days)
        for second in sorted(seconds)
    ]


def _when(tier: str, size: int, at: datetime) -> str:
    parts = [f"with {tier}" if tier else "", f"above {size - 1:,} tokens" if size else ""]
    if at.date() != ALWAYS:
        parts.append(f"from {at:%Y-%m-%d}")
    if at.time() != time():
        parts.append(f"at {at:%H:%M} UTC")
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def _show_usd(atto: int | None) -> str:
    if atto is None:
        return "none"
    whole, part = divmod(atto, ATTO_PER_USD)
    return f"{whole}.{part:018d}".rstrip("0").rstrip(".")


def _show_tenth(tenths: int) -> str:
    whole, tenth = divmod(tenths, 10)
    return f"{whole:,}.{tenth}"


def show_groups(groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A line for each group: how many there are, and which."""
    for name, members in sorted(groups.items()):
        yield f"{name}: {len(members)}: {', '.join(members)}"
