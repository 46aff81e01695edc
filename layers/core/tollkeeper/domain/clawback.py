"""Credits follow money that went back at Stripe, and come back when the money does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import ClawbackPolicy
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import PRIORITY, Draw, Grant, GrantKind, Grants, draw_down
from tollkeeper.domain.inflow import next_grant_id, take_in
from tollkeeper.domain.money import floor_div

PURCHASE = "purchase"
"""The detail of a row that names the purchase whose credits it moves."""


@dataclass(frozen=True, slots=True)
class Back:
    """Credits of a purchase that are to go (above 0), or to come back (below 0).

    `grant` is where the purchase's credits were, and `expires_at` when they would end.
    Units: micro-credits.
    """

    key: EntryKey
    purchase_id: str
    grant: str
    amount_microcredits: int
    expires_at: datetime | None = None
    reason: str = ""
    actor: str = "stripe"
    details: Mapping[str, str] = field(default_factory=dict[str, str])


def ended_of(row: Entry, credits_microcredits: int) -> int:
    """What of a purchase's credits the end of its grant took, as the row of the end says.

    Why: at the bound of grants several purchases share one, and each has its share of the end.
    """
    expired, grant = row.moved_microcredits, row.grant
    if grant is None or grant.kind is not GrantKind.PACK:
        return expired
    if grant.amount_microcredits <= credits_microcredits:
        return expired
    return floor_div(expired * credits_microcredits, grant.amount_microcredits)


def post_back(draft: Draft, back: Back) -> tuple[Entry | None, int]:
    """The credits are gone or back, explained by one row; no row where nothing is to move.

    Returns the row, and what nobody had any more, where the plan does not make it a debt.
    Units: micro-credits.
    Why: whatever the account's standing, because the money has moved already.
    """
    if back.amount_microcredits > 0:
        return _take(draft, back)
    if back.amount_microcredits < 0:
        return _give(draft, back), 0
    return None, 0


def _take(draft: Draft, back: Back) -> tuple[Entry, int]:
    """Out of the purchase's own grant first, then of all others in order; the rest is owed."""
    account, amount = draft.account, back.amount_microcredits
    grants, draws, missing = _draw_own_first(account, back.grant, amount)
    is_owed = account.terms(draft.catalog).clawback is ClawbackPolicy.DEBT
    debt = missing if is_owed else 0
    taken, uncollected = amount - missing + debt, missing - debt
    life = account.lifetime
    account = replace(
        account,
        grants=grants,
        debt_microcredits=account.debt_microcredits + debt,
        clawback_debt_microcredits=account.clawback_debt_microcredits + debt,
        lifetime=replace(
            life,
            clawed_back=life.clawed_back + taken,
            uncollected=life.uncollected + uncollected,
        ),
    )
    entry = draft.post(
        account,
        key=back.key,
        kind=EntryKind.CLAWBACK,
        delta=-taken,
        moved_microcredits=taken,
        draws=draws,
        debt_change_microcredits=debt,
        uncollected_microcredits=uncollected,
        reason=back.reason,
        actor=back.actor,
        details=_details(back),
    )
    return entry, uncollected


def _draw_own_first(
    account: Account, own_id: str, amount: int
) -> tuple[Grants, tuple[Draw, ...], int]:
    """As draw_down, with one grant before all others; those that open holds drew from stay."""
    kept = account.held_grants
    own = tuple(grant for grant in account.grants if grant.id == own_id)
    others = tuple(grant for grant in account.grants if grant.id != own_id)
    own, first, missing = draw_down(own, amount, kept)
    others, then, missing = draw_down(others, missing, kept)
    return tuple(sorted((*own, *others), key=Grant.order)), first + then, missing


def _give(draft: Draft, back: Back) -> Entry:
    """Debt is paid first; the rest is a pack's grant, which ends when the purchase's would.

    Where that time is over the grant has no end, as when a charge of an ended grant is given
    back. The credits were granted before, so what was granted and bought stays as it is.
    """
    account, amount = draft.account, -back.amount_microcredits
    is_over = back.expires_at is not None and back.expires_at <= draft.at
    kind = GrantKind.ADJUSTMENT if is_over else GrantKind.PACK
    grant = Grant(
        id=next_grant_id(draft),
        kind=kind,
        priority=PRIORITY[kind],
        amount_microcredits=amount,
        remaining_microcredits=amount,
        effective_at=draft.at,
        expires_at=None if is_over else back.expires_at,
    )
    life = account.lifetime
    account, held, debt = take_in(account, grant)
    return draft.post(
        replace(account, lifetime=replace(life, clawed_back=life.clawed_back - amount)),
        key=back.key,
        kind=EntryKind.REINSTATE,
        delta=amount,
        moved_microcredits=amount,
        debt_change_microcredits=debt,
        grant=held,
        reason=back.reason,
        actor=back.actor,
        details=_details(back),
    )


def _details(back: Back) -> dict[str, str]:
    return {PURCHASE: back.purchase_id, **back.details}
