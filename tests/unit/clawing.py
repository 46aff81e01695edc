"""Purchases whose money goes back and comes again, for unit tests, each said in one line."""

from __future__ import annotations

from datetime import datetime

from tests.unit.building import CATALOG, ONE, a_run, an_account, charged, draft_of, granted
from tests.unit.holding import costing
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog
from tollkeeper.domain.clawback import Back, post_back
from tollkeeper.domain.entries import Entry, EntryKey
from tollkeeper.domain.grants import GrantKind


def bought(account: Account, credits: int = 100) -> tuple[Account, str]:
    """The account with a pack of so many credits, and the grant that holds them."""
    account, entry = granted(account, credits, GrantKind.PACK, key=f"buy-{account.seq}")
    assert entry.grant is not None
    return account, entry.grant.id


def went_back(
    account: Account,
    credits: float,
    *,
    grant: str = "",
    at: datetime | None = None,
    expires_at: datetime | None = None,
    catalog: Catalog = CATALOG,
) -> tuple[Account, Entry, int]:
    """The account after so many credits went with their money, the row, and what nobody had.

    Below 0 they come back.
    """
    draft = draft_of(account, at, catalog)
    back = Back(
        EntryKey(f"s#refund:pi_1:{account.seq}"),
        "pur_1",
        grant,
        round(credits * ONE),
        expires_at,
        reason="refund",
        details={"event": "evt_1"},
    )
    entry, uncollected = post_back(draft, back)
    decision = draft.decide(entry)
    assert decision.answer is not None
    return decision.account, decision.answer, uncollected


def owing(credits: float, plan: str = "free") -> Account:
    """An account without a credit that owes so many for money that went back."""
    account = an_account(plan)
    left = account.available_microcredits
    if left:
        account, _ = charged(account, costing(left / ONE, a_run("sms")), key="all")
    account, _, _ = went_back(account, credits)
    return account
