"""Credits that come in: debt is paid first, the rest becomes a grant."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.account import Account, Lifetime
from tollkeeper.domain.draft import Draft
from tollkeeper.domain.grants import PRIORITY, Grant, GrantKind, add_grant


def take_in(account: Account, grant: Grant) -> tuple[Account, Grant, int]:
    """The account with the grant counted, the grant as it is held, and the debt it paid.

    Units: the returned debt change is in micro-credits and never positive.
    """
    if not grant.has_started:
        grants, held = add_grant(account.grants, grant)
        return replace(account, grants=grants), held, 0
    paid = min(account.overdraft_debt_microcredits, grant.remaining_microcredits)
    rest = replace(grant, remaining_microcredits=grant.remaining_microcredits - paid)
    grants, held = (
        add_grant(account.grants, rest) if rest.remaining_microcredits else (account.grants, rest)
    )
    account = replace(
        account,
        grants=grants,
        overdraft_debt_microcredits=account.overdraft_debt_microcredits - paid,
        lifetime=_count_in(account.lifetime, grant),
    )
    return account, held, -paid


def _count_in(life: Lifetime, grant: Grant) -> Lifetime:
    amount = grant.remaining_microcredits
    if grant.kind is GrantKind.TRANSFER:
        return replace(life, transferred_in=life.transferred_in + amount)
    purchased = amount if grant.kind is GrantKind.PACK else 0
    return replace(life, granted=life.granted + amount, purchased=life.purchased + purchased)


def next_grant_id(draft: Draft) -> str:
    """The id of a grant that the next row creates: short, and unique within the account."""
    return f"g{draft.account.seq + 1}"


def bring_back(draft: Draft, account: Account, amount_microcredits: int) -> tuple[Account, Grant]:
    """Credits whose own grant is over are in a new adjustment grant, and the grant.

    Why: they were granted before, so the counter of what was granted stays as it is.
    """
    grant = Grant(
        id=next_grant_id(draft),
        kind=GrantKind.ADJUSTMENT,
        priority=PRIORITY[GrantKind.ADJUSTMENT],
        amount_microcredits=amount_microcredits,
        remaining_microcredits=amount_microcredits,
        effective_at=draft.at,
        expires_at=None,
    )
    account, held, _ = take_in(account, grant)
    life = account.lifetime
    life = replace(life, granted=life.granted - amount_microcredits)
    return replace(account, lifetime=life), held
