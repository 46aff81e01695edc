"""What operators do: grants, corrections, plans, zones and standing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    a_grant,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
    granted,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import Entry, EntryKey, EntryKind
from tollkeeper.domain.errors import GrantLimitError, InsufficientCreditsError, InvalidError
from tollkeeper.domain.grants import MOST_GRANTS, GrantKind
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    is_on_plan,
)
from tollkeeper.domain.roll import begin, look

A_DAY = timedelta(days=1)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def adjusted(account: Account, delta: int) -> tuple[Account, Entry]:
    """The account after a correction, and the row."""
    command = Adjust(a_key("a"), "h", "miscounted", "ops", delta_microcredits=delta)
    return done(decide_adjustment(draft_of(account), command))


def on_plan(plan: str, *, anchor: date | None = None, at_period_end: bool = False) -> ChangePlan:
    """The command."""
    return ChangePlan(a_key("p"), "h", "", plan=plan, anchor=anchor, at_period_end=at_period_end)


def changed(account: Account, command: ChangePlan, at: datetime | None = None) -> Decision:
    """The decision to change the plan."""
    return decide_plan_change(draft_of(account, at), command, CATALOG)


def full_account(kind: GrantKind = GrantKind.PACK) -> Account:
    """An account with as many grants as it may hold."""
    grants = tuple(a_grant(n, 1, kind) for n in range(100, 100 + MOST_GRANTS))
    account = an_account("deep")
    life = replace(account.lifetime, granted=MOST_GRANTS * ONE)
    return replace(account, grants=grants, lifetime=life)


# Grants.


def test_a_grant_is_in_the_account_with_its_row() -> None:
    account, entry = granted(an_account(), 5)

    assert account.available_microcredits == 15 * ONE
    assert (entry.kind, entry.delta_microcredits) == (EntryKind.GRANT, 5 * ONE)
    assert (entry.reason, entry.seq, account.lifetime.granted) == ("test", 2, 15 * ONE)
    assert entry.grant is not None and entry.grant.id == "g2"


@pytest.mark.parametrize("lasts", [timedelta(0), -A_DAY])
def test_a_grant_that_ends_before_it_begins_is_refused(lasts: timedelta) -> None:
    for starts_in in (timedelta(0), A_DAY):
        with pytest.raises(InvalidError, match="later than"):
            granted(an_account(), 5, starts_in=starts_in, lasts=lasts)


def test_a_grant_from_the_past_begins_now() -> None:
    account, entry = granted(an_account(), 5, starts_in=-A_DAY)

    assert entry.grant is not None
    assert (entry.grant.effective_at, entry.grant.has_started) == (NOON, True)
    assert account.available_microcredits == 15 * ONE


def test_only_packs_count_as_purchased() -> None:
    account, _ = granted(an_account(), 5)
    account, _ = granted(account, 7, GrantKind.PACK, key="g2")

    assert (account.lifetime.purchased, account.lifetime.granted) == (7 * ONE, 22 * ONE)


@pytest.mark.parametrize("kind", [GrantKind.PROMO, GrantKind.ADJUSTMENT, GrantKind.PACK])
def test_an_operators_grant_is_refused_at_the_bound(kind: GrantKind) -> None:
    with pytest.raises(GrantLimitError):
        granted(full_account(), 1, kind)
    with pytest.raises(GrantLimitError):
        adjusted(full_account(), ONE)


def test_a_purchase_always_has_room_and_joins_its_like_at_the_bound() -> None:
    account = full_account()
    command = GiveGrant(
        EntryKey("s#purchase:p1"), "", "", amount_microcredits=9 * ONE, kind=GrantKind.PACK
    )

    account, entry = done(decide_grant(draft_of(account), command))

    assert len(account.grants) == MOST_GRANTS
    assert account.available_microcredits == (MOST_GRANTS + 9) * ONE
    assert entry.grant is not None and entry.grant.remaining_microcredits == 10 * ONE


def test_no_operator_lifts_an_account_above_what_it_can_hold() -> None:
    account, _ = granted(an_account("deep"), 10**9 - 1)

    granted(account, 1, key="fits")
    for lift in (lambda: granted(account, 2), lambda: adjusted(account, ONE + 1)):
        with pytest.raises(InvalidError, match="1000000000"):
            lift()


# Corrections.


def test_s3_16_a_correction_up_is_a_grant_that_never_expires() -> None:
    account, entry = adjusted(an_account(), 3 * ONE)

    assert (entry.kind, entry.delta_microcredits) == (EntryKind.ADJUSTMENT, 3 * ONE)
    assert (entry.reason, entry.actor) == ("miscounted", "ops")
    assert (account.grants[-1].kind, account.grants[-1].expires_at) == (GrantKind.ADJUSTMENT, None)
    assert account.lifetime.granted == 13 * ONE


def test_s3_16_a_correction_down_is_drawn_like_a_charge_and_is_not_spent() -> None:
    account, _ = granted(an_account(), 2)

    account, entry = adjusted(account, -3 * ONE)

    assert [(d.grant.kind, d.amount_microcredits) for d in entry.draws] == [
        (GrantKind.PROMO, 2 * ONE),
        (GrantKind.PLAN, ONE),
    ]
    assert (account.available_microcredits, account.lifetime.adjusted_down) == (9 * ONE, 3 * ONE)
    assert (account.lifetime.spent, account.windows.day, account.totals) == (0, 0, {})


def test_a_correction_never_takes_what_is_not_there_nor_the_overdraft() -> None:
    with pytest.raises(InsufficientCreditsError, match="10 are available") as refusal:
        adjusted(an_account(), -10 * ONE - 1)
    with pytest.raises(InsufficientCreditsError):
        adjusted(an_account("deep"), -1)

    assert refusal.value.shortfall_microcredits == 1
    assert adjusted(an_account(), -10 * ONE)[0].available_microcredits == 0


def test_a_correction_up_pays_debt_first() -> None:
    account, _ = charged(an_account("deep"), a_run("sms", quantity=3 * ONE))

    account, entry = adjusted(account, 2 * ONE)

    assert (account.debt_microcredits, account.grants) == (ONE, ())
    assert (entry.debt_change_microcredits, entry.delta_microcredits) == (-2 * ONE, 2 * ONE)


# Plans.


def test_a_plan_change_now_expires_the_rest_and_begins_a_period() -> None:
    account, _ = charged(an_account(), a_run("call", quantity=3 * ONE))

    decision = changed(account, on_plan("pro"), NOON + A_DAY)

    assert [(e.kind.value, e.delta_microcredits // ONE) for e in decision.entries] == [
        ("expire", -7),
        ("reset", 50),
        ("plan_change", 0),
    ]
    plan = decision.account.plan
    assert (plan.id, plan.generation, plan.period_start_at) == ("pro", 2, NOON + A_DAY)
    assert (plan.period_end_at, decision.account.features) == (DECEMBER, {})
    _, answer = done(decision)
    assert answer is decision.entries[-1], "so that the answer's balance is the one after it all"
    assert answer.available_after_microcredits == decision.account.available_microcredits
    assert answer.details == {"from": "free", "to": "pro", "at": "now"}


def test_a_plan_change_never_touches_packs_and_promos() -> None:
    account, _ = granted(an_account(), 5, GrantKind.PACK)
    account, _ = granted(account, 2, key="g2")

    after = changed(account, on_plan("pro")).account

    assert [g.kind for g in after.grants] == [GrantKind.PROMO, GrantKind.PLAN, GrantKind.PACK]
    assert after.available_microcredits == 57 * ONE


def test_a_plan_change_stands_at_a_moment_of_its_own() -> None:
    account, charge = charged(an_account(), a_run())

    decision = changed(account, on_plan("pro"))

    assert decision.account.plan.period_start_at == charge.at + timedelta(milliseconds=1)
    assert {e.at for e in decision.entries} == {decision.account.rolled_to}
    assert decision.account.rolled_to == decision.account.plan.period_start_at


def test_a_plan_change_at_the_periods_end_waits_for_it() -> None:
    account = changed(an_account(), on_plan("pro", at_period_end=True)).account
    assert (account.plan.id, account.plan.next_plan) == ("free", "pro")
    assert account.available_microcredits == 10 * ONE

    before = look(account, now=DECEMBER - timedelta(milliseconds=1), catalog=CATALOG)
    after = look(account, now=DECEMBER, catalog=CATALOG)

    assert before.plan.id == "free"
    assert (after.plan.id, after.plan.next_plan, after.plan.generation) == ("pro", "", 2)
    assert after.available_microcredits == 50 * ONE


def test_a_waiting_change_is_taken_back_by_asking_for_the_current_plan() -> None:
    anchored = an_account("month", at=datetime(2027, 1, 31, 9, tzinfo=UTC))
    waiting = changed(anchored, on_plan("pro", at_period_end=True)).account

    account = changed(waiting, on_plan("month", at_period_end=True)).account

    assert (account.plan.next_plan, account.plan.next_anchor) == ("", None)
    march = look(account, now=datetime(2027, 3, 30, tzinfo=UTC), catalog=CATALOG)
    assert march.plan.anchor == date(2027, 1, 31)
    assert march.plan.period_end_at == datetime(2027, 3, 31, tzinfo=UTC)


def test_a_change_now_replaces_one_that_waits() -> None:
    account = changed(an_account(), on_plan("pro", at_period_end=True)).account

    account = changed(account, on_plan("month")).account

    assert (account.plan.id, account.plan.next_plan) == ("month", "")


def test_an_opening_plan_counts_from_the_day_it_begins() -> None:
    now = changed(an_account(), on_plan("month")).account
    waiting = changed(an_account(), on_plan("month", at_period_end=True)).account

    assert now.plan.anchor == date(2026, 11, 20)
    assert now.plan.period_end_at == datetime(2026, 12, 20, tzinfo=UTC)
    assert waiting.plan.next_anchor == date(2026, 12, 1)
    assert look(waiting, now=DECEMBER, catalog=CATALOG).plan.anchor == date(2026, 12, 1)


def test_an_anchor_that_is_asked_for_wins() -> None:
    account = changed(an_account(), on_plan("pro", anchor=date(2026, 11, 30))).account

    assert account.plan.period_end_at == datetime(2026, 11, 30, tzinfo=UTC)
    assert look(account, now=DECEMBER, catalog=CATALOG).plan.period_end_at == datetime(
        2026, 12, 30, tzinfo=UTC
    )


def test_a_plan_that_is_not_in_the_catalog_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidError, match="deep, free, keep, month, pro"):
        changed(an_account(), on_plan("gold"))


@pytest.mark.parametrize(
    ("command", "is_on"),
    [
        (on_plan("month"), True),
        (on_plan("month", anchor=date(2026, 11, 20)), True),
        (on_plan("month", anchor=date(2026, 11, 21)), False),
        (on_plan("month", at_period_end=True), True),
        (on_plan("pro"), False),
        (on_plan("pro", at_period_end=True), False),
    ],
)
def test_asking_for_the_plan_in_force_is_recognised(command: ChangePlan, is_on: bool) -> None:
    assert is_on_plan(an_account("month"), command) is is_on


def test_asking_again_for_a_change_that_waits_is_recognised() -> None:
    account = changed(an_account(), on_plan("pro", at_period_end=True)).account

    assert is_on_plan(account, on_plan("pro", at_period_end=True))
    assert not is_on_plan(account, on_plan("month", at_period_end=True))
    assert not is_on_plan(account, on_plan("free", at_period_end=True))


def test_saying_the_current_plan_again_begins_no_period_while_another_waits() -> None:
    account = changed(an_account(), on_plan("pro", at_period_end=True)).account

    assert is_on_plan(account, on_plan("free"))
    assert not is_on_plan(account, on_plan("pro"))


def test_a_first_touch_that_asks_for_a_plan_opens_on_it_once() -> None:
    draft, _ = begin(None, ACCOUNT, now=NOON, catalog=CATALOG, plan_id="pro")

    decision = decide_plan_change(draft, on_plan("pro"), CATALOG)

    assert [e.kind.value for e in decision.entries] == ["reset", "plan_change"]
    assert decision.account.available_microcredits == 50 * ONE
    assert decision.answer is not None and decision.answer.details["at"] == "opening"


def test_debt_is_paid_by_the_new_plans_allocation() -> None:
    account, _ = charged(an_account("deep"), a_run("sms", quantity=3 * ONE))

    after = changed(account, on_plan("free")).account

    assert (after.debt_microcredits, after.available_microcredits) == (0, 7 * ONE)
