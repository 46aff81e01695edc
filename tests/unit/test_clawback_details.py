"""Rows and grants of credits that follow money, as whole values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.unit.building import CATALOG, NOON, ONE, an_account, draft_of
from tests.unit.clawing import bought, owing, went_back
from tests.unit.holding import opened, with_plan
from tollkeeper.domain.catalog import ClawbackPolicy
from tollkeeper.domain.clawback import PURCHASE, Back, post_back
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.grants import Draw, Grant, GrantKind

FLOOR = with_plan(clawback=ClawbackPolicy.FLOOR)


def test_credits_that_go_are_one_row_that_says_all_of_it() -> None:
    account, own = bought(an_account())
    pack, free = (next(g for g in account.grants if g.id == each) for each in (own, "g1"))

    _, entry, _ = went_back(account, 115, grant=own)

    assert entry == Entry(
        account=account.id,
        key=EntryKey("s#refund:pi_1:2"),
        seq=3,
        kind=EntryKind.CLAWBACK,
        at=NOON,
        delta_microcredits=-115 * ONE,
        moved_microcredits=115 * ONE,
        available_after_microcredits=-5 * ONE,
        debt_after_microcredits=5 * ONE,
        debt_change_microcredits=5 * ONE,
        clawback_debt_change_microcredits=5 * ONE,
        draws=(Draw(pack, 100 * ONE), Draw(free, 10 * ONE)),
        reason="refund",
        actor="stripe",
        details={PURCHASE: "pur_1", "event": "evt_1"},
        alerts=entry.alerts,
    )
    assert PURCHASE == "purchase"


def test_credits_that_come_back_are_one_row_that_says_all_of_it() -> None:
    account, end = owing(4), NOON + timedelta(days=1)

    after, entry, _ = went_back(account, -3, expires_at=end)
    more, again, _ = went_back(after, -1)

    held = Grant(f"g{account.seq + 1}", GrantKind.PACK, 30, 3 * ONE, 0, NOON, end)
    assert entry == Entry(
        account=account.id,
        key=EntryKey(f"s#refund:pi_1:{account.seq}"),
        seq=account.seq + 1,
        kind=EntryKind.REINSTATE,
        at=NOON,
        delta_microcredits=3 * ONE,
        moved_microcredits=3 * ONE,
        available_after_microcredits=-ONE,
        debt_after_microcredits=ONE,
        debt_change_microcredits=-3 * ONE,
        clawback_debt_change_microcredits=-3 * ONE,
        grant=replace(held, priority=entry.grant.priority if entry.grant else 0),
        reason="refund",
        actor="stripe",
        details={PURCHASE: "pur_1", "event": "evt_1"},
    )
    assert more.debt_microcredits == 0
    assert again.grant is not None and again.grant.expires_at is None


def test_what_nobody_had_is_added_to_what_nobody_had_before() -> None:
    account, _, first = went_back(an_account(), 15, catalog=FLOOR)

    account, _, second = went_back(account, 2, catalog=FLOOR)

    assert (first, second) == (5 * ONE, 2 * ONE)
    assert account.lifetime.uncollected == 7 * ONE
    assert account.lifetime.clawed_back == 10 * ONE


def test_a_grant_that_an_open_hold_drew_from_stays_whoever_else_gives() -> None:
    account, own = bought(an_account())
    account, _ = opened(account, 3)

    account, _, _ = went_back(account, 107, grant=own)

    assert [(g.id, g.remaining_microcredits) for g in account.grants] == [("g1", 0)]


def test_the_smallest_amount_is_moved_and_no_amount_is_no_row() -> None:
    draft = draft_of(an_account(), catalog=CATALOG)
    back = Back(EntryKey("s#refund:pi_1:1"), "pur_1", "g1", 1)

    taken, missing = post_back(draft, back)
    given, none = post_back(
        draft, replace(back, key=EntryKey("s#dispute_won:dp_1"), amount_microcredits=-1)
    )

    assert taken is not None and given is not None
    assert (taken.delta_microcredits, missing) == (-1, 0)
    assert (given.delta_microcredits, none) == (1, 0)
    assert (taken.reason, taken.actor, taken.details) == ("", "stripe", {PURCHASE: "pur_1"})
