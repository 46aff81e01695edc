"""Credits that come in: debt is paid first, the rest becomes a grant."""

from __future__ import annotations

from dataclasses import replace

from tollkeeper.domain.account import Account, Draft
from tollkeeper.domain.grants import Grant, GrantKind, add_grant


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
    is_pack = grant.kind is GrantKind.PACK
    amount = grant.remaining_microcredits
    life = account.lifetime
    account = replace(
        account,
        grants=grants,
        overdraft_debt_microcredits=account.overdraft_debt_microcredits - paid,
        lifetime=replace(
            life,
            granted=life.granted + amount,
            purchased=life.purchased + (amount if is_pack else 0),
        ),
    )
    return account, held, -paid


def next_grant_id(draft: Draft) -> str:
    """The id of a grant that the next row creates: short, and unique within the account."""
    return f"g{draft.account.seq + 1}"
