"""What an open hold did not use goes back: to debt, to its grants, or it expires with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind, hold_key
from tollkeeper.domain.grants import Draw, Grant
from tollkeeper.domain.held import Hold
from tollkeeper.domain.inflow import bring_back, cancel_overdraft, pay_debt

PARTS = "parts"
"""A closing row's detail: how many parts of the call were settled before."""

Draws = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Freed:
    """The account after credits of a hold went back, and where they went. Units: micro-credits.

    `grant` holds what was taken as overdraft that somebody paid meanwhile.
    """

    account: Account
    returned: tuple[Draw, ...] = ()
    expired_microcredits: int = 0
    debt_change_microcredits: int = 0
    grant: Grant | None = None


def take_first(hold: Hold, amount_microcredits: int) -> tuple[Draws, int, Hold]:
    """What a spending of that amount uses of the hold, and the hold with the rest.

    Shape: the draws that are used, what is used of its debt, the rest. Grants go before debt.
    """
    left = amount_microcredits
    used: list[tuple[str, int]] = []
    kept: list[tuple[str, int]] = []
    for grant_id, amount in hold.draws:
        share = min(amount, left)
        left -= share
        if share:
            used.append((grant_id, share))
        if amount > share:
            kept.append((grant_id, amount - share))
    assert left <= hold.debt_microcredits, "no more is used than is held"
    rest = replace(hold, draws=tuple(kept), debt_microcredits=hold.debt_microcredits - left)
    return tuple(used), left, rest


def without(account: Account, hold: Hold) -> Account:
    """The account without that hold; its grants are as they were."""
    return replace(account, holds=tuple(each for each in account.holds if each.id != hold.id))


def free_rest(draft: Draft, account: Account, rest: Hold) -> Freed:
    """The hold is gone from the account and its rest is back where it came from.

    Debt is paid first, with what would expire before anything else. What returns to a grant that
    ended meanwhile expires.
    """
    account, cancelled = cancel_overdraft(without(account, rest), rest.debt_microcredits)
    returned, expired, paid = _share_out(account, rest.draws, account.debt_microcredits)
    account, _ = pay_debt(account, paid)
    by_id = {draw.grant.id: draw.amount_microcredits for draw in returned}
    life = account.lifetime
    account = replace(
        account,
        grants=tuple(_give(grant, by_id) for grant in account.grants),
        lifetime=replace(life, expired=life.expired + expired),
    )
    account = drop_empty(account)
    grant: Grant | None = None
    homeless = rest.debt_microcredits - cancelled
    if homeless:
        account, grant = bring_back(draft, account, homeless)
    return Freed(account, returned, expired, -cancelled - paid, grant)


def _share_out(account: Account, draws: Draws, debt: int) -> tuple[tuple[Draw, ...], int, int]:
    """What each grant gets back, what expires, and what pays debt."""
    grants = {grant.id: grant for grant in account.grants}
    returned: list[Draw] = []
    expired = paid = 0
    for grant_id, amount in sorted(draws, key=lambda draw: not grants[draw[0]].has_ended):
        grant = grants[grant_id]
        pays = min(debt - paid, amount)
        paid += pays
        rest = amount - pays
        if grant.has_ended:
            expired += rest
        elif rest:
            returned.append(Draw(grant, rest))
    return tuple(returned), expired, paid


def _give(grant: Grant, amounts: dict[str, int]) -> Grant:
    more = amounts.get(grant.id, 0)
    if not more:
        return grant
    return replace(grant, remaining_microcredits=grant.remaining_microcredits + more)


def drop_empty(account: Account) -> Account:
    """The account without empty grants that no open hold waits to return to."""
    kept = account.held_grants
    grants = tuple(g for g in account.grants if g.remaining_microcredits or g.id in kept)
    return account if len(grants) == len(account.grants) else replace(account, grants=grants)


def find_grants(account: Account, draws: Iterable[tuple[str, int]]) -> tuple[Draw, ...]:
    """The draws with their grants. Why: a grant stays while a hold that drew from it is open."""
    grants = {grant.id: grant for grant in account.grants}
    return tuple(Draw(grants[grant_id], amount) for grant_id, amount in draws)


def find_hold(account: Account | None, hold_id: str) -> Hold | None:
    """The open hold of that id."""
    holds = () if account is None else account.holds
    return next((hold for hold in holds if hold.id == hold_id), None)


def expire_hold(draft: Draft, hold_id: str) -> Entry:
    """The hold's time is over: all of it is back, in its one expire row."""
    hold = find_hold(draft.account, hold_id)
    assert hold is not None, "only an open hold expires"
    return post_freed(draft, hold, key=hold_key(hold_id, "expire"), kind=EntryKind.HOLD_EXPIRED)


def post_freed(
    draft: Draft,
    hold: Hold,
    *,
    key: EntryKey,
    kind: EntryKind,
    request_hash: str = "",
    reason: str = "",
    actor: str = "",
) -> Entry:
    """The whole hold is freed, explained by this row."""
    amount = hold.amount_microcredits
    freed = free_rest(draft, uncount_feature(draft.account, hold), hold)
    return draft.post(
        freed.account,
        key=key,
        kind=kind,
        delta=amount - freed.expired_microcredits,
        moved_microcredits=amount,
        hold=hold.id,
        returned=freed.returned,
        expired_microcredits=freed.expired_microcredits,
        debt_change_microcredits=freed.debt_change_microcredits,
        grant=freed.grant,
        details={PARTS: str(hold.parts)} if hold.parts else {},
        request_hash=request_hash,
        reason=reason,
        actor=actor,
    )


def is_from_before(hold: Hold, account: Account) -> bool:
    """The hold was opened in an earlier period of the plan, whose counters are gone."""
    return hold.opened_at < account.plan.period_start_at


def uncount_feature(account: Account, hold: Hold) -> Account:
    """The plan's counter without a run that did not happen, where it still counts it."""
    feature, count = hold.terms.feature, hold.terms.feature_count
    if hold.parts or is_from_before(hold, account) or feature not in account.features:
        return account
    used = max(0, account.features[feature] - count)
    return replace(account, features={**account.features, feature: used})
