"""A charge is priced anew: what it should have cost is known now, and one row corrects it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.charges import return_charged, shrink_windows
from tollkeeper.domain.draft import ChargeReturned, Decision, Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, Run
from tollkeeper.domain.errors import NotPendingError, StillUnknownError
from tollkeeper.domain.grants import Draw, Grant
from tollkeeper.domain.holds import note_uncollected, pay_more
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.quarantine import end_waiting, is_waiting
from tollkeeper.domain.totals import Total, count, key_of

BEFORE = "before_microcredits"
PRICE = "price_microcredits"
COST_CHANGE = "cost_change_picousd"


@dataclass(frozen=True, slots=True)
class Rerate:
    """The command to correct a charge to the price that its run has by now."""

    key: EntryKey
    request_hash: str
    charge: Entry
    priced: Priced
    reason: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class _Moved:
    """What the correction moved. Units: micro-credits; `change` is of what the run has cost."""

    account: Account
    change: int = 0
    draws: tuple[Draw, ...] = ()
    grant: Grant | None = None
    debt_change: int = 0


def refuse_settled(charge: Entry) -> None:
    """Nothing, where the charge waits for its price. Raises: NotPendingError."""
    if not is_waiting(charge):
        raise NotPendingError("The price of this entry is final; it was not quarantined.")


def refuse_unknown(run: Run) -> None:
    """Nothing, where the run has a price of its own. Raises: StillUnknownError."""
    if run.pending or run.stands_for:
        raise StillUnknownError(
            f"The catalog has no price for {run.model or 'a model of this run'} yet."
        )


def decide_rerate(draft: Draft, command: Rerate, catalog: Catalog) -> Decision:
    """The run has cost what it costs by now, once for its charge.

    What was too much goes back to the grants that it came from; what was too little is taken as a
    settle above its hold is, by the plan's policy. What could not be collected at first is not
    asked for again. The run stays counted as it was: a correction is no call.
    Raises: NotPendingError, StillUnknownError.
    """
    charge, right = command.charge, command.priced
    refuse_settled(charge)
    refuse_unknown(right.run)
    assert charge.run is not None, "what waits is a run"
    charged, price = charge.moved_microcredits, right.charged_microcredits
    before = charged + charge.uncollected_microcredits
    moved = _move(draft, charge, price=price, before=before, catalog=catalog)
    uncollected = price - charged - moved.change - charge.uncollected_microcredits
    run = correct_run(charge.run, right.run)
    cost_change = (run.cost_picousd or 0) - (charge.run.cost_picousd or 0)
    account = _count(moved.account, charge, moved.change, cost_change=cost_change)
    entry = draft.post(
        note_uncollected(account, uncollected),
        key=command.key,
        kind=EntryKind.RERATE,
        delta=-moved.change,
        moved_microcredits=abs(moved.change),
        request_hash=command.request_hash,
        run=run,
        draws=moved.draws,
        debt_change_microcredits=moved.debt_change,
        grant=moved.grant,
        uncollected_microcredits=uncollected,
        refers_to=charge.key,
        reason=command.reason,
        actor=command.actor,
        details={BEFORE: str(before), PRICE: str(price), COST_CHANGE: str(cost_change)},
        warnings=right.run.warnings,
    )
    mark = ChargeReturned(charge.key, command.key, is_rerate=True)
    return draft.decide(entry, mark, *end_waiting(charge, at=draft.at, by=command.key))


def correct_run(charged: Run, right: Run) -> Run:
    """What ran as the charge has it, with the prices that are right."""
    return replace(
        charged,
        lines=right.lines,
        cost_picousd=right.cost_picousd,
        price_version=right.price_version,
        provider=right.provider,
        priced_at=right.priced_at,
        plan=right.plan,
        warnings=right.warnings,
        stands_for="",
        pending="",
    )


def _move(draft: Draft, charge: Entry, *, price: int, before: int, catalog: Catalog) -> _Moved:
    """The account with the difference moved, down or up, or as it is."""
    charged, account = charge.moved_microcredits, draft.account
    if price < charged:
        account, draws, grant, debt = return_charged(draft, charge, charged - price)
        return _Moved(account, price - charged, draws, grant, debt)
    policy = account.terms(catalog).settle_above_hold
    paid = pay_more(account, max(0, price - before), catalog, policy)
    life = paid.account.lifetime
    account = replace(paid.account, lifetime=replace(life, spent=life.spent + paid.amount))
    return _Moved(account, paid.amount, paid.draws, debt_change=paid.debt)


def _count(account: Account, charge: Entry, change: int, *, cost_change: int) -> Account:
    """The counters with the correction: today what it took, and where the charge is what is back.

    Why: closed days never change, as with a refund; a correction of a past day counts today.
    """
    assert charge.run is not None, "a charge has a run"
    total = Total(credits_microcredits=change, cost_picousd=cost_change)
    totals = count(account.totals, key_of(charge.run), total)
    if change < 0:
        return replace(account, totals=totals, windows=shrink_windows(account, charge, -change))
    return replace(account, totals=totals, windows=account.windows.plus(change))
