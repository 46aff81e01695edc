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
    account, paid = pay_debt(account, grant.remaining_microcredits)
    rest = replace(grant, remaining_microcredits=grant.remaining_microcredits - paid)
    grants, held = (
        add_grant(account.grants, rest) if rest.remaining_microcredits else (account.grants, rest)
    )
    life = _count_in(account.lifetime, grant)
    return replace(account, grants=grants, lifetime=life), held, -paid


def pay_debt(account: Account, amount_microcredits: int) -> tuple[Account, int]:
    """The account with so much of its debt paid as the amount can pay, and how much that is.

    What is owed for money that went back is paid first, then overdraft.
    """
    paid = min(account.debt_microcredits, amount_microcredits)
    clawback_debt = max(0, account.clawback_debt_microcredits - paid)
    debt = account.debt_microcredits - paid
    return replace(account, debt_microcredits=debt, clawback_debt_microcredits=clawback_debt), paid


def cancel_overdraft(account: Account, amount_microcredits: int) -> tuple[Account, int]:
    """The account with so much less debt, and how much that is: overdraft that was not used.

    Why: it was never owed for money that went back, so that part is lowered last.
    """
    cancelled = min(account.debt_microcredits, amount_microcredits)
    debt = account.debt_microcredits - cancelled
    clawback_debt = min(account.clawback_debt_microcredits, debt)
    return replace(
        account, debt_microcredits=debt, clawback_debt_microcredits=clawback_debt
    ), cancelled


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
