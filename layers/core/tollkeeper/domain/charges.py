"""Charges and their undoing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tollkeeper.domain.account import Account, Windows
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.draft import ChargeReturned, Decision, Draft
from tollkeeper.domain.entries import COUNTED_BEFORE, Entry, EntryKey, EntryKind
from tollkeeper.domain.errors import InvalidError
from tollkeeper.domain.gate import find_warnings, refuse_unable
from tollkeeper.domain.grants import Draw, Grant, Stay, put_back
from tollkeeper.domain.inflow import bring_back, pay_debt
from tollkeeper.domain.money import show_micro
from tollkeeper.domain.pricing import Priced
from tollkeeper.domain.quarantine import end_waiting
from tollkeeper.domain.spending import count_feature, count_spent, count_volume, see_size, take
from tollkeeper.domain.totals import Total, count, key_of, total_of_charge

CHARGES = frozenset({EntryKind.CHARGE, EntryKind.SETTLE})
"""The kinds of rows that charge a run, and that can be given back."""


@dataclass(frozen=True, slots=True)
class Charge:
    """The command to charge a run that was priced."""

    key: EntryKey
    request_hash: str
    priced: Priced
    actor: str = ""
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The command to undo a charge (`void`), or to give back all or part of it (`refund`).

    Units: micro-credits; None is the whole charge.
    """

    key: EntryKey
    request_hash: str
    charge: Entry
    kind: EntryKind
    amount_microcredits: int | None = None
    reason: str = ""
    actor: str = ""


def decide_charge(draft: Draft, command: Charge, catalog: Catalog) -> Decision:
    """The account has paid for the run, drawn from its grants in order.

    Raises: as refuse_unable.
    """
    priced = command.priced
    refuse_unable(draft.account, priced, catalog)
    charged, run = priced.charged_microcredits, priced.run
    account, draws, debt = take(draft.account, charged)
    account = count_spent(account, run, charged)
    account = count_feature(account, run.feature, run.feature_count, catalog)
    account = count_volume(account, run, catalog)
    account = see_size(account, run, catalog)
    entry = draft.post(
        account,
        key=command.key,
        kind=EntryKind.CHARGE,
        delta=-charged,
        moved_microcredits=charged,
        request_hash=command.request_hash,
        run=run,
        draws=draws,
        debt_change_microcredits=debt,
        actor=command.actor,
        metadata=command.metadata,
        warnings=find_warnings(account, priced, catalog),
    )
    return draft.decide(entry)


def decide_run_failed(draft: Draft, command: Charge) -> Decision:
    """The run is recorded as failed and nothing is charged."""
    account = draft.account
    run = replace(command.priced.run, cost_picousd=None, lines=())
    totals = count(account.totals, key_of(run), Total(failed=1))
    entry = draft.post(
        replace(account, totals=totals),
        key=command.key,
        kind=EntryKind.RUN_FAILED,
        delta=0,
        request_hash=command.request_hash,
        run=run,
        actor=command.actor,
        metadata=command.metadata,
    )
    return draft.decide(entry)


def decide_give_back(draft: Draft, command: GiveBack) -> Decision:
    """The charge's credits are back in the grants they came from, at most once per charge.

    Credits of a grant that expired meanwhile become an adjustment grant; debt is paid first.
    Raises: InvalidError where the entry is no charge or the amount is above it.
    """
    charge = command.charge
    charged = charge.moved_microcredits
    amount = charged if command.amount_microcredits is None else command.amount_microcredits
    if charge.kind not in CHARGES or charge.run is None:
        raise InvalidError("key", f"names a {charge.kind} entry; only a charge can be given back")
    if amount > charged:
        raise InvalidError("amount", f"is above the {show_micro(charged)} credits that it charged")
    account, returned, held, debt = return_charged(draft, charge, amount)
    life = account.lifetime
    account = replace(account, lifetime=replace(life, refunded=life.refunded + amount))
    account = _uncount(account, charge, amount, is_void=command.kind is EntryKind.VOID)
    entry = draft.post(
        account,
        key=command.key,
        kind=command.kind,
        delta=amount,
        moved_microcredits=amount,
        request_hash=command.request_hash,
        run=replace(charge.run, lines=()),
        draws=returned,
        debt_change_microcredits=debt,
        grant=held,
        refers_to=charge.key,
        reason=command.reason,
        actor=command.actor,
    )
    waits_no_more = end_waiting(charge, at=draft.at, by=command.key)
    return draft.decide(entry, ChargeReturned(charge.key, command.key), *waits_no_more)


def return_charged(
    draft: Draft, charge: Entry, amount: int
) -> tuple[Account, tuple[Draw, ...], Grant | None, int]:
    """The account with the amount unspent: debt first, then its grants, then a new one.

    Shape: the account, what each grant got back, the new grant, the change of debt.
    """
    account, paid = pay_debt(draft.account, amount)
    stay = Stay(draft.at, account.plan.period_start_at, account.plan.period_end_at)
    drawn = charge.settled + charge.draws
    grants, returned, homeless = put_back(account.grants, drawn, amount - paid, stay)
    life = account.lifetime
    account = replace(
        account,
        grants=grants,
        lifetime=replace(life, spent=life.spent - amount),
    )
    held: Grant | None = None
    if homeless:
        account, held = bring_back(draft, account, homeless)
    return account, returned, held, -paid


def _uncount(account: Account, charge: Entry, amount: int, *, is_void: bool) -> Account:
    """The counters without what was given back, each only where the charge is still in it."""
    run = charge.run
    assert run is not None, "a charge has a run"
    if is_void:
        total = total_of_charge(run, amount).minus()
    else:
        total = Total(credits_microcredits=-amount, refunded_microcredits=amount)
    in_period = charge.at >= account.plan.period_start_at
    in_period = in_period and COUNTED_BEFORE not in charge.details
    features = dict(account.features)
    if is_void and in_period and run.feature in features:
        features[run.feature] = max(0, features[run.feature] - run.feature_count)
    volumes = account.volumes
    if is_void and run.volume_micro and charge.at >= account.plan.period_start_at:
        volumes = _less(volumes, run.feature, run.volume_micro)
    return replace(
        account,
        totals=count(account.totals, key_of(run), total),
        features=features,
        volumes=volumes,
        windows=shrink_windows(account, charge, amount),
    )


def _less(volumes: Mapping[str, int], feature: str, volume: int) -> dict[str, int]:
    """The volumes with so much less of a feature, and without it where none is left."""
    left = {**volumes, feature: max(0, volumes.get(feature, 0) - volume)}
    return {name: used for name, used in left.items() if used}


def shrink_windows(account: Account, charge: Entry, amount: int) -> Windows:
    """The windows without so much of the charge, each only where the charge is still in it."""
    assert charge.day is not None, "a charge counts on a day"
    today, day, windows = account.today, charge.day, account.windows
    in_period = charge.at >= account.plan.period_start_at
    in_month = (day.year, day.month) == (today.year, today.month)
    return Windows(
        day=max(0, windows.day - amount) if day == today else windows.day,
        month=max(0, windows.month - amount) if in_month else windows.month,
        period=max(0, windows.period - amount) if in_period else windows.period,
    )
