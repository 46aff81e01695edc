"""Credits go with money that goes back, from where they are; what was spent is owed, or is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import CATALOG, NOON, ONE, an_account, charged, draft_of, granted
from tests.unit.clawing import bought, owing, went_back
from tests.unit.holding import costing, opened, released, settled, with_plan
from tollkeeper.domain.account import Account, Status
from tollkeeper.domain.catalog import ClawbackPolicy
from tollkeeper.domain.clawback import Back, post_back
from tollkeeper.domain.entries import EntryKey, EntryKind
from tollkeeper.domain.grants import GrantKind

FLOOR = with_plan(clawback=ClawbackPolicy.FLOOR)


def remaining(account: Account) -> dict[str, int]:
    """What each grant holds, in credits."""
    return {grant.id: grant.remaining_microcredits // ONE for grant in account.grants}


def debts(account: Account) -> tuple[int, int]:
    """All debt, and what of it is owed for money that went back, in credits."""
    return account.debt_microcredits // ONE, account.clawback_debt_microcredits // ONE


class TestTaking:
    def test_the_purchases_own_grant_gives_first_whatever_its_place_in_the_order(self) -> None:
        account, own = bought(an_account())

        account, entry, uncollected = went_back(account, 40, grant=own)

        assert [*remaining(account).items()] == [("g1", 10), (own, 60)]
        assert [(d.grant.id, d.amount_microcredits) for d in entry.draws] == [(own, 40 * ONE)]
        assert (entry.kind, uncollected) == (EntryKind.CLAWBACK, 0)

    def test_then_all_other_grants_give_in_their_order(self) -> None:
        account, own = bought(an_account(), 100)
        account, _ = granted(account, 5, GrantKind.PROMO)
        account, _ = charged(account, costing(95))

        account, entry, _ = went_back(account, 18, grant=own)

        assert remaining(account) == {own: 2}
        account, own = bought(an_account(), 10)
        account, _ = granted(account, 5, GrantKind.PROMO)
        account, entry, _ = went_back(account, 17, grant=own)
        drawn = [(d.grant.id, d.amount_microcredits // ONE) for d in entry.draws]
        assert drawn == [(own, 10), ("g3", 5), ("g1", 2)]
        assert debts(account) == (0, 0)

    def test_what_was_spent_before_is_owed(self) -> None:
        account, own = bought(an_account(), 100)
        account, _ = charged(account, costing(80))

        account, entry, uncollected = went_back(account, 100, grant=own)

        assert (debts(account), uncollected) == ((70, 70), 0)
        assert account.available_microcredits == -70 * ONE
        assert entry.debt_change_microcredits == entry.clawback_debt_change_microcredits == 70 * ONE
        assert (entry.delta_microcredits, entry.moved_microcredits) == (-100 * ONE, 100 * ONE)
        assert account.lifetime.clawed_back == 100 * ONE
        assert account.lifetime.spent == 80 * ONE

    def test_a_plan_with_a_floor_lets_go_what_was_spent(self) -> None:
        account, own = bought(an_account(), 100)
        account, _ = charged(account, costing(80))

        account, entry, uncollected = went_back(account, 100, grant=own, catalog=FLOOR)

        assert (debts(account), uncollected) == ((0, 0), 70 * ONE)
        assert (entry.moved_microcredits, entry.uncollected_microcredits) == (30 * ONE, 70 * ONE)
        assert account.lifetime.clawed_back == 30 * ONE
        assert account.lifetime.uncollected == 70 * ONE
        assert account.available_microcredits == 0

    def test_a_floor_with_nothing_left_is_a_row_all_the_same(self) -> None:
        account, _ = charged(an_account(), costing(10))

        account, entry, uncollected = went_back(account, 5, catalog=FLOOR)

        assert (entry.delta_microcredits, entry.moved_microcredits) == (0, 0)
        assert uncollected == entry.uncollected_microcredits == 5 * ONE

    def test_a_budget_owes_nothing_because_nobody_would_pay_it(self) -> None:
        account = replace(an_account(), parent="team")

        account, _, uncollected = went_back(account, 15)

        assert (debts(account), uncollected) == ((0, 0), 5 * ONE)

    def test_an_overdraft_is_owed_as_before_and_the_clawback_beside_it(self) -> None:
        account, _ = charged(an_account("deep"), costing(4))

        account, entry, _ = went_back(account, 3)

        assert debts(account) == (7, 3)
        assert entry.debt_after_microcredits == 7 * ONE

    def test_what_goes_back_later_is_owed_beside_what_went_before(self) -> None:
        account, entry, _ = went_back(owing(4), 3)

        assert debts(account) == (7, 7)
        assert entry.clawback_debt_change_microcredits == 3 * ONE

    @pytest.mark.parametrize("status", [Status.FROZEN, Status.CLOSED])
    def test_it_applies_to_an_account_that_may_not_spend(self, status: Status) -> None:
        account = replace(an_account(), status=status)

        account, _, _ = went_back(account, 12)

        assert debts(account) == (2, 2)

    def test_nothing_to_move_is_no_row(self) -> None:
        draft = draft_of(an_account())

        assert post_back(draft, Back(EntryKey("s#early:pur_1"), "pur_1", "g1", 0)) == (None, 0)
        assert draft.entries == []

    def test_the_row_names_its_purchase_and_who_and_why(self) -> None:
        account, taken, _ = went_back(an_account(), 1)
        _, given, _ = went_back(account, -1)

        for entry in (taken, given):
            assert entry.details == {"purchase": "pur_1", "event": "evt_1"}
            assert (entry.reason, entry.actor, entry.request_hash) == ("refund", "stripe", "")

    def test_a_grant_that_has_not_started_gives_nothing(self) -> None:
        account, entry = granted(an_account(), 50, GrantKind.PACK, starts_in=timedelta(days=1))
        assert entry.grant is not None

        account, _, _ = went_back(account, 15, grant=entry.grant.id)

        assert debts(account) == (5, 5)
        assert remaining(account) == {entry.grant.id: 50}


class TestHolds:
    def test_what_a_hold_has_is_left_to_it_and_pays_when_it_comes_back(self) -> None:
        account, own = bought(an_account(), 100)
        account, _ = opened(account, 105)

        account, entry, _ = went_back(account, 100, grant=own)
        assert debts(account) == (95, 95)
        assert own in remaining(account), "an empty grant waits for its hold"

        account, entry = released(account)
        assert (debts(account), account.available_microcredits) == ((0, 0), 10 * ONE)
        assert entry.clawback_debt_change_microcredits == -95 * ONE

    def test_a_hold_that_is_settled_pays_only_with_its_rest(self) -> None:
        account, own = bought(an_account(), 100)
        account, _ = opened(account, 105)
        account, _, _ = went_back(account, 100, grant=own)

        account, entry = settled(account, 80)

        assert debts(account) == (70, 70)
        assert entry.clawback_debt_change_microcredits == -25 * ONE

    def test_overdraft_that_a_hold_gives_up_was_never_owed_for_money(self) -> None:
        account, _ = opened(an_account("deep"), 4)
        account, _, _ = went_back(account, 3)
        assert debts(account) == (7, 3)

        account, entry = released(account)

        assert debts(account) == (3, 3)
        assert entry.clawback_debt_change_microcredits == 0

    def test_overdraft_that_was_paid_meanwhile_pays_what_is_owed_now(self) -> None:
        account, _ = opened(an_account("deep"), 4)
        account, _ = granted(account, 4)
        account, _, _ = went_back(account, 3)
        assert debts(account) == (3, 3)

        account, _ = released(account)

        assert debts(account) == (0, 0)
        assert account.available_microcredits == ONE


class TestPaying:
    def test_what_comes_in_pays_what_is_owed_for_money_before_overdraft(self) -> None:
        account, _ = charged(an_account("deep"), costing(4))
        account, _, _ = went_back(account, 3)

        account, entry = granted(account, 2)
        assert debts(account) == (5, 1)
        assert entry.clawback_debt_change_microcredits == -2 * ONE

        account, entry = granted(account, 3, key="more")
        assert debts(account) == (2, 0)
        assert (entry.debt_change_microcredits, entry.clawback_debt_change_microcredits) == (
            -3 * ONE,
            -1 * ONE,
        )

    def test_a_reset_pays_it_with_the_new_allocation(self) -> None:
        account = owing(4)

        draft = draft_of(account, at=NOON + timedelta(days=11))

        (reset,) = draft.entries
        assert (reset.kind, reset.clawback_debt_change_microcredits) == (EntryKind.RESET, -4 * ONE)
        assert draft.account.available_microcredits == 6 * ONE


class TestComingBack:
    def test_debt_is_paid_first_and_the_rest_is_a_packs_grant_with_the_purchases_end(self) -> None:
        account, end = owing(40), NOON + timedelta(days=365)
        account, _ = granted(account, 10)

        account, entry, _ = went_back(account, -40, expires_at=end)

        assert entry.kind is EntryKind.REINSTATE
        assert (entry.delta_microcredits, entry.debt_change_microcredits) == (40 * ONE, -30 * ONE)
        (grant,) = account.grants
        assert (grant.kind, grant.remaining_microcredits) == (GrantKind.PACK, 10 * ONE)
        assert (grant.amount_microcredits, grant.expires_at) == (40 * ONE, end)
        assert entry.grant == grant
        assert debts(account) == (0, 0)

    def test_it_lowers_what_was_clawed_back_and_nothing_was_granted_or_bought_anew(self) -> None:
        account, own = bought(an_account())
        account, _, _ = went_back(account, 60, grant=own)
        before = account.lifetime

        account, _, _ = went_back(account, -60)

        assert account.lifetime == replace(before, clawed_back=0)
        assert account.available_microcredits == 110 * ONE

    def test_credits_whose_time_is_over_come_back_without_an_end(self) -> None:
        account = owing(1)

        account, entry, _ = went_back(account, -1, expires_at=account.rolled_to)

        assert entry.grant is not None
        assert (entry.grant.kind, entry.grant.expires_at) == (GrantKind.ADJUSTMENT, None)

    def test_an_end_that_is_still_to_come_is_kept(self) -> None:
        account = owing(1)
        end = account.rolled_to + timedelta(milliseconds=1)

        _, entry, _ = went_back(account, -1, expires_at=end)

        assert entry.grant is not None
        assert (entry.grant.kind, entry.grant.expires_at) == (GrantKind.PACK, end)

    def test_more_than_was_taken_is_a_bug_that_stops(self) -> None:
        with pytest.raises(AssertionError, match="no more is given back"):
            went_back(an_account(), -1)


def test_there_and_back_in_any_steps_leaves_what_was_there() -> None:
    account, own = bought(an_account("deep"), 100)
    account, _ = charged(account, costing(102))

    for credits in (30, 70, -20, 20, -100):
        account, _, _ = went_back(account, credits, grant=own)

    assert debts(account) == (2, 0)
    assert account.lifetime.clawed_back == 0
    assert CATALOG.plan("deep").clawback is ClawbackPolicy.DEBT
