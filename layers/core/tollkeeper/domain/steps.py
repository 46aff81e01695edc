"""How a price came about, step by step, in words and exact numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import gcd

from tollkeeper.domain.book import COST_DENOMINATOR
from tollkeeper.domain.entries import Entry, EntryKind, Run
from tollkeeper.domain.money import MICRO, PICO_PER_USD, show_micro, show_scaled, show_usd
from tollkeeper.domain.pricing.bills import Bill
from tollkeeper.domain.pricing.tally import Share, Tally
from tollkeeper.domain.pricing.trace import Trace
from tollkeeper.domain.recompute import Recomputed

MOST_DECIMALS = 60
STEPS = (
    "usage",
    "named",
    "rate",
    "markup",
    "cost",
    "plan",
    "allowance",
    "tiers",
    "rounding",
    "minimum",
    "failed",
    "rerate",
    "collected",
    "grants",
)
"""What a step is about, in the order in which they come."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Shape: `numbers` are exact texts: decimals, or `n/d` where those have no end."""

    step: str
    text: str
    numbers: Mapping[str, str] = field(default_factory=dict[str, str])


def explain(entry: Entry, recomputed: Recomputed) -> tuple[Step, ...]:
    """The steps from what was used to the grants that paid, as far as they can be known."""
    run, trace = entry.run, recomputed.trace
    assert run is not None, "what is explained is a run"
    steps = list(_usage(run))
    if trace is not None and recomputed.priced is not None:
        priced = recomputed.priced.run
        steps += [*_rates(run, trace), *_cost(priced), *_plan(priced)]
        steps += [*_pieces(trace), *_rounding(trace), *_minimum(trace)]
    return (*steps, *_collected(entry), *_grants(entry))


def show_exact(numerator: int, denominator: int) -> str:
    """The number exactly: as a decimal where it has an end, else as `n/d` in lowest terms."""
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    rest, places = denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1 or places > MOST_DECIMALS:
        return f"{numerator}/{denominator}"
    return show_scaled(numerator * 10**places // denominator, places)


def _usage(run: Run) -> Iterator[Step]:
    """What was used: tokens by pool, and whatever else is counted."""
    numbers = {name: str(count) for name, count in _pools(run).items()}
    if run.quantity_micro is not None:
        numbers["quantity"] = show_micro(run.quantity_micro)
    if run.seconds_micro:
        numbers["audio_seconds"] = show_micro(run.seconds_micro)
    if run.web_searches:
        numbers["web_searches"] = str(run.web_searches)
    if run.resource is not None:
        used = run.resource
        named = {"cpu_ms": used.cpu_ms, "mem_mb": used.mem_mb, "duration_ms": used.duration_ms}
        numbers |= {name: str(amount) for name, amount in named.items() if amount is not None}
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in numbers.items())
    on = f" on {run.model}" if run.model else ""
    yield Step("usage", f"{run.operation}{on}: {said or 'one call'}", numbers)
    for part in run.parts:
        pools = {name: str(count) for name, count in part.pools.nonzero().items()}
        said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in pools.items())
        searches = {"web_searches": str(part.web_searches)} if part.web_searches else {}
        text = f"of these by {part.model or run.model or 'the same model'}: {said or 'no tokens'}"
        yield Step("usage", text, pools | searches)


def _pools(run: Run) -> dict[str, int]:
    return {} if run.pools is None else run.pools.nonzero()


def _rates(run: Run, trace: Trace) -> Iterator[Step]:
    """Each line at its rate, and how USD become credits."""
    worth = trace.worth
    if worth is None:
        amount = show_micro(trace.charged)
        yield Step("named", f"the caller named the price: {amount} credits", {"credits": amount})
        return
    bill, per_credit = worth.bill, trace.usd_per_credit_micro
    if bill is None or per_credit is None or worth.tally != bill.to_tally(per_credit):
        yield from _credit_lines(worth.tally)
        return
    if bill.stands_for:
        text = f"{run.model or 'the model'} has no price here; {bill.stands_for} stands for it"
        yield Step("rate", text)
    if run.priced_at is not None:
        moment = run.priced_at.isoformat()
        yield Step("rate", f"the rates are those of {moment}", {"priced_at": moment})
    yield from (_usd_line(share) for share in bill.shares)
    yield from _markups(bill, per_credit)


def _credit_lines(tally: Tally) -> Iterator[Step]:
    for share in tally.shares:
        credits = show_exact(share.numerator, tally.denominator * MICRO)
        numbers = {"quantity": share.quantity, "rate": share.rate, "credits": credits}
        text = f"{share.item}: {share.quantity} at {share.rate} = {credits} credits"
        yield Step("rate", text, numbers)


def _usd_line(share: Share) -> Step:
    usd = show_exact(share.numerator, COST_DENOMINATOR * PICO_PER_USD)
    numbers = {"quantity": share.quantity, "rate": share.rate, "usd": usd}
    return Step("rate", f"{share.item}: {share.quantity} at {share.rate} = {usd} USD", numbers)


def _markups(bill: Bill, per_credit: int) -> Iterator[Step]:
    """Each markup on the sum of its lines, over what a credit is worth."""
    for factor in dict.fromkeys(bill.factors):
        pairs = zip(bill.shares, bill.factors, strict=True)
        sum_ = sum(share.numerator for share, own in pairs if own == factor)
        usd = show_exact(sum_, COST_DENOMINATOR * PICO_PER_USD)
        credits = show_exact(sum_ * factor, COST_DENOMINATOR * PICO_PER_USD * per_credit)
        markup, worth = show_micro(factor), show_micro(per_credit)
        text = f"{usd} USD x {markup} at {worth} USD per credit = {credits} credits"
        numbers = {"usd": usd, "markup": markup, "usd_per_credit": worth, "credits": credits}
        yield Step("markup", text, numbers)


def _cost(run: Run) -> Iterator[Step]:
    """What the provider bills in whole pico-USD."""
    if run.cost_picousd is not None:
        usd = show_usd(run.cost_picousd)
        is_reported = run.reported_picousd == run.cost_picousd
        said = "as the provider reported" if is_reported else "is what the provider bills"
        yield Step("cost", f"{usd} USD {said}", {"usd": usd})


def _plan(run: Run) -> Iterator[Step]:
    if run.plan:
        yield Step("plan", f"at the prices of the plan {run.plan}")


def _pieces(trace: Trace) -> Iterator[Step]:
    """What the period's volume takes off: the free allowance, then the tiers."""
    before = show_micro(trace.volume.before_micro)
    for piece in trace.pieces:
        credits = show_exact(piece.numerator, trace.whole.denominator * MICRO)
        name = "allowance" if piece.rate == "0%" else "tiers"
        numbers = {"used_before": before, "quantity": piece.quantity, "percent": piece.rate}
        text = f"{piece.item}: {piece.quantity} of it at {piece.rate}, {credits} credits"
        yield Step(name, text, numbers | {"credits": credits})


def _rounding(trace: Trace) -> Iterator[Step]:
    """The one rounding: exact micro-credits, and what was added."""
    if trace.worth is None:
        return
    tally = trace.whole
    remainder = trace.rounded * tally.denominator - tally.numerator
    exact = _ratio(tally.numerator, tally.denominator)
    added = _ratio(remainder, tally.denominator)
    credits = show_micro(trace.rounded)
    text = f"{exact} micro-credits rounded up by {added}: {credits} credits"
    if not remainder:
        text = f"{exact} micro-credits, nothing to round: {credits} credits"
    yield Step("rounding", text, {"exact": exact, "added": added, "credits": credits})


def _ratio(numerator: int, denominator: int) -> str:
    """Micro-credits as `n/d` in lowest terms; a whole number is itself."""
    common = gcd(numerator, denominator)
    if denominator == common:
        return str(numerator // common)
    return f"{numerator // common}/{denominator // common}"


def _minimum(trace: Trace) -> Iterator[Step]:
    if trace.charged > trace.rounded:
        least = show_micro(trace.least)
        raised = show_micro(trace.charged - trace.rounded)
        numbers = {"minimum": least, "added": raised}
        yield Step("minimum", f"raised by {raised} to the least that a run costs: {least}", numbers)


def _collected(entry: Entry) -> Iterator[Step]:
    """What became of the price, where it was not simply charged."""
    uncollected = entry.uncollected_microcredits
    if entry.kind is EntryKind.RUN_FAILED:
        yield Step("failed", "the run failed and costs nothing", {"credits": "0"})
    elif entry.kind is EntryKind.RERATE and entry.refers_to is not None:
        yield Step("rerate", _show_rerate(entry), {"uncollected": show_micro(uncollected)})
    elif uncollected:
        charged, open_ = show_micro(entry.moved_microcredits), show_micro(uncollected)
        numbers = {"collected": charged, "uncollected": open_}
        yield Step("collected", f"{charged} were collected, {open_} were not there", numbers)


def _show_rerate(entry: Entry) -> str:
    moved = show_micro(entry.moved_microcredits)
    if not entry.delta_microcredits:
        return "the charge was of that price: nothing moves"
    what = "went back" if entry.delta_microcredits > 0 else "were taken beside it"
    return f"the charge is corrected: {moved} credits {what}"


def _grants(entry: Entry) -> Iterator[Step]:
    """Which grants paid, or got back, and what became debt."""
    is_back = entry.kind is EntryKind.RERATE and entry.delta_microcredits > 0
    way = "into" if is_back else "from"
    for draw in (*entry.settled, *entry.draws):
        amount, grant = show_micro(draw.amount_microcredits), draw.grant
        numbers = {"grant": grant.id, "kind": grant.kind.value, "credits": amount}
        yield Step("grants", f"{amount} {way} {grant.id} ({grant.kind.value})", numbers)
    debt = entry.debt_change_microcredits
    if debt:
        shown = show_micro(abs(debt))
        text = f"{shown} as overdraft" if debt > 0 else f"{shown} pay debt"
        yield Step("grants", text, {"debt_change": show_micro(debt)})
