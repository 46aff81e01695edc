"""Charges: who may pay, what is drawn, what a void or refund gives back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    STEADY,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
    granted,
)
from tollkeeper.domain.account import Account, Status, Windows
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.draft import ChargeReturned
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    FeatureLimitError,
    InsufficientCreditsError,
    InvalidError,
    TollkeeperError,
)
from tollkeeper.domain.gate import find_warnings, refuse_unable
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.operating import ChangePlan, decide_plan_change
from tollkeeper.domain.totals import Total, TotalKey, tokens_of
from tollkeeper.domain.usage import TokenPools
from tollkeeper.domain.windows import reset_moment

DAY = timedelta(days=1)


def given_back(
    account: Account,
    charge: Entry,
    *,
    kind: EntryKind = EntryKind.VOID,
    amount: int | None = None,
    after: timedelta = timedelta(0),
) -> tuple[Account, Entry]:
    """The account after the charge went back, and the row."""
    command = GiveBack(a_key("back"), "h", charge, kind, amount, "failed", "ops")
    return done(decide_give_back(draft_of(account, account.rolled_to + after), command))


def is_allowed(account: Account, operation: str = "call") -> bool:
    """What a check answers."""
    try:
        refuse_unable(account, a_run(operation), CATALOG)
    except TollkeeperError:
        return False
    return True


# The judgement.


@STEADY
@given(credits=st.integers(0, 30 * ONE), cost=st.integers(0, 30 * ONE))
def test_s2_18_p4_exactly_what_is_there_can_be_spent_and_not_a_microcredit_more(
    credits: int, cost: int
) -> None:
    account = an_account("deep", catalog=replace(CATALOG, default_plan="deep"))
    plans = {**CATALOG.plans, "deep": replace(CATALOG.plans["deep"], overdraft_microcredits=0)}
    catalog = replace(CATALOG, plans=plans)
    if credits:
        account, _ = granted(account, 1)
        grant = replace(
            account.grants[0], amount_microcredits=credits, remaining_microcredits=credits
        )
        account = replace(account, grants=(grant,))
    priced = replace(a_run(), charged_microcredits=cost)

    try:
        refuse_unable(account, priced, catalog)
    except InsufficientCreditsError as refusal:
        assert cost > credits
        assert refusal.shortfall_microcredits == cost - credits
        position = refusal.position
        assert position.available_microcredits == position.spendable_microcredits == credits
    else:
        assert cost <= credits


def test_s2_14_a_refusal_says_what_is_there_what_is_needed_and_when_more_comes() -> None:
    account, _ = charged(an_account(zone="Europe/Berlin"), a_run("video"))

    with pytest.raises(InsufficientCreditsError) as refusal:
        refuse_unable(account, a_run("video"), CATALOG)

    error = refusal.value
    assert error.detail == "video needs 7 credits; 3 are available."
    position = error.position
    assert (position.required_microcredits, position.available_microcredits) == (7 * ONE, 3 * ONE)
    assert (error.shortfall_microcredits, error.blocking) == (4 * ONE, "balance")
    assert error.resets_at is not None
    assert error.resets_at.isoformat() == "2026-12-01T00:00:00+01:00"


def test_s0_05_a_refusal_names_the_model_and_its_tokens() -> None:
    with pytest.raises(InsufficientCreditsError) as refusal:
        refuse_unable(an_account(), a_run("chat", model="gpt-4", tokens=2000), CATALOG)

    assert refusal.value.detail == "gpt-4 for 2,000 tokens needs 120 credits; 10 are available."
    assert refusal.value.help is not None


def test_a_plan_that_gives_nothing_promises_no_reset() -> None:
    with pytest.raises(InsufficientCreditsError) as refusal:
        refuse_unable(an_account("deep"), a_run("video"), CATALOG)

    assert refusal.value.resets_at is None


def test_what_is_left_of_the_overdraft_can_be_spent_and_no_more() -> None:
    account = an_account("deep")
    assert account.spendable_microcredits(CATALOG) == 5 * ONE

    account, entry = charged(account, a_run("call", quantity=5 * ONE))

    assert entry.available_after_microcredits == -5 * ONE
    assert entry.debt_after_microcredits == entry.debt_change_microcredits == 5 * ONE
    assert account.spendable_microcredits(CATALOG) == 0
    assert not is_allowed(account)


def test_debt_above_the_plans_overdraft_leaves_nothing_to_spend() -> None:
    account = replace(an_account("deep"), debt_microcredits=8 * ONE)

    assert account.available_microcredits == -8 * ONE
    assert account.spendable_microcredits(CATALOG) == 0


@pytest.mark.parametrize(
    ("status", "error"),
    [(Status.FROZEN, AccountFrozenError), (Status.CLOSED, AccountClosedError)],
)
def test_a_frozen_or_closed_account_spends_not_even_nothing(
    status: Status, error: type[TollkeeperError]
) -> None:
    account = replace(an_account(), status=status)

    for operation in ("call", "own"):
        with pytest.raises(error, match=ACCOUNT):
            refuse_unable(account, a_run(operation), CATALOG)


def test_s1_15_a_feature_is_refused_beyond_its_count_with_the_numbers() -> None:
    account, _ = charged(an_account(), a_run("call", quantity=2 * ONE))

    with pytest.raises(FeatureLimitError) as refusal:
        refuse_unable(account, a_run("call", quantity=2 * ONE), CATALOG)

    error = refusal.value
    assert (error.code, error.blocking) == ("feature_limit", "feature_limit")
    assert (error.feature, error.used, error.limit) == ("call", 2, 3)
    assert error.resets_at == reset_moment(account)
    assert is_allowed(account, "call")
    assert is_allowed(account, "video")


def test_s1_15_a_feature_counts_by_quantity_and_only_where_the_plan_limits_it() -> None:
    account, _ = charged(an_account(), a_run("call", quantity=3 * ONE))
    account, _ = charged(account, a_run("sms", quantity=2 * ONE), key="k2")

    assert account.features == {"call": 3}


def test_s2_04_having_enough_is_a_pure_function_of_the_account() -> None:
    account = an_account()

    assert [is_allowed(account, "video") for _ in range(3)] == [True] * 3
    assert account == an_account()


# The charge.


def test_s2_18_p2_a_charge_takes_exactly_its_price() -> None:
    before = an_account()

    account, entry = charged(before, a_run("video"))

    assert account.available_microcredits == before.available_microcredits - 7 * ONE
    assert (entry.kind, entry.delta_microcredits) == (EntryKind.CHARGE, -7 * ONE)
    assert (entry.moved_microcredits, entry.available_after_microcredits) == (7 * ONE, 3 * ONE)
    assert (entry.seq, account.seq, account.version) == (2, 2, 2)
    assert (account.lifetime.spent, account.windows.day) == (7 * ONE, 7 * ONE)
    assert (account.windows.month, account.windows.period) == (7 * ONE, 7 * ONE)


def test_s2_18_p3_a_refused_charge_changes_nothing() -> None:
    account = an_account()
    draft = draft_of(account)

    with pytest.raises(InsufficientCreditsError):
        decide_charge(draft, Charge(a_key(), "h", a_run("video", quantity=2 * ONE)), CATALOG)

    assert (draft.entries, draft.account) == ([], account)


def test_s2_15_a_charge_records_who_what_and_from_which_grants() -> None:
    account, _ = granted(an_account(), 3)
    command = Charge(a_key(), "hash", a_run("chat", model="gpt-4", tokens=100), "app", "{}")

    _, entry = done(decide_charge(draft_of(account), command, CATALOG))

    assert entry.run is not None
    assert (entry.account, entry.run.model, entry.run.operation) == (ACCOUNT, "gpt-4", "chat")
    assert [(d.grant.kind, d.amount_microcredits) for d in entry.draws] == [
        (GrantKind.PROMO, 3 * ONE),
        (GrantKind.PLAN, 3 * ONE),
    ]
    assert (entry.request_hash, entry.actor, entry.metadata) == ("hash", "app", "{}")
    assert entry.day == NOON.date()


def test_a_charge_is_counted_in_todays_totals() -> None:
    account, _ = charged(an_account(), a_run("chat", model="gpt-4", tokens=100))

    assert account.totals == {
        TotalKey("chat", "gpt-4"): Total(
            calls=1,
            credits_microcredits=6 * ONE,
            cost_picousd=3000,
            tokens=tokens_of(TokenPools(100)),
        )
    }


@pytest.mark.parametrize(("spent", "warns"), [(4, False), (5, True), (6, True)])
def test_s2_11_a_charge_warns_from_five_credits_down(spent: int, warns: bool) -> None:
    account, entry = charged(an_account(), a_run("sms", quantity=spent * ONE))

    assert ("low_balance" in entry.warnings) == warns
    assert ("low_balance" in find_warnings(account, a_run(), CATALOG)) == warns


def test_a_failed_run_is_counted_and_costs_and_uses_nothing() -> None:
    before = an_account()
    command = Charge(a_key(), "h", a_run("call", quantity=9 * ONE))

    account, entry = done(decide_run_failed(draft_of(before), command))

    assert (entry.kind, entry.delta_microcredits) == (EntryKind.RUN_FAILED, 0)
    assert account.available_microcredits == before.available_microcredits
    assert (account.features, account.lifetime) == (before.features, before.lifetime)
    assert account.totals == {TotalKey("call"): Total(failed=1)}
    assert entry.run is not None and entry.run.cost_picousd is None


# Giving back.


def test_s3_20_after_a_void_everything_is_as_before() -> None:
    before, _ = granted(an_account(), 2)
    account, charge = charged(before, a_run("call", quantity=3 * ONE))

    after, entry = given_back(account, charge)

    assert (after.grants, after.features["call"]) == (before.grants, 0)
    assert (after.totals, after.windows) == (before.totals, before.windows)
    assert after.lifetime.spent == before.lifetime.spent
    assert (entry.kind, entry.delta_microcredits, entry.refers_to) == (
        EntryKind.VOID,
        3 * ONE,
        charge.key,
    )
    assert (entry.reason, entry.actor) == ("failed", "ops")


def test_giving_back_leaves_the_mark_that_makes_it_happen_once() -> None:
    account, charge = charged(an_account(), a_run())
    command = GiveBack(a_key("back"), "h", charge, EntryKind.VOID)

    decision = decide_give_back(draft_of(account), command)

    assert decision.also == (ChargeReturned(charge.key, a_key("back")),)


def test_s3_16_a_refund_of_a_part_leaves_the_run_counted() -> None:
    account, charge = charged(an_account(), a_run("call", quantity=3 * ONE))

    after, entry = given_back(account, charge, kind=EntryKind.REFUND, amount=ONE)

    assert (entry.moved_microcredits, after.available_microcredits) == (ONE, 8 * ONE)
    assert after.features["call"] == 3
    assert after.totals == {
        TotalKey("call"): Total(
            calls=1, credits_microcredits=2 * ONE, refunded_microcredits=ONE, cost_picousd=21
        )
    }
    assert (after.lifetime.spent, after.lifetime.refunded) == (2 * ONE, ONE)
    assert (after.windows.day, after.windows.month, after.windows.period) == (2 * ONE,) * 3


def test_more_than_was_charged_cannot_be_refunded() -> None:
    account, charge = charged(an_account(), a_run())

    with pytest.raises(InvalidError, match="above the 1 credits"):
        given_back(account, charge, kind=EntryKind.REFUND, amount=ONE + 1)


def test_only_a_charge_can_be_given_back() -> None:
    account, grant = granted(an_account(), 2)

    with pytest.raises(InvalidError, match="names a grant entry"):
        given_back(account, grant)


def test_what_comes_back_pays_debt_first() -> None:
    account, first = charged(an_account("deep"), a_run("call", quantity=2 * ONE))
    account, _ = charged(account, a_run("call", quantity=3 * ONE), key="k2")

    after, entry = given_back(account, first)

    assert (after.debt_microcredits, after.grants) == (3 * ONE, ())
    assert (entry.debt_change_microcredits, entry.delta_microcredits) == (-2 * ONE, 2 * ONE)


def test_what_was_paid_on_credit_and_settled_since_comes_back_as_an_adjustment() -> None:
    account, charge = charged(an_account("deep"), a_run("call", quantity=4 * ONE))
    account, _ = granted(account, 10)

    after, entry = given_back(account, charge)

    assert after.available_microcredits == 10 * ONE
    assert [(g.kind, g.remaining_microcredits) for g in after.grants] == [
        (GrantKind.PROMO, 6 * ONE),
        (GrantKind.ADJUSTMENT, 4 * ONE),
    ]
    assert entry.grant is not None and entry.grant.expires_at is None


def test_a_void_in_a_later_period_brings_no_count_into_it() -> None:
    account, charge = charged(an_account(), a_run("call", quantity=3 * ONE))
    account, _ = charged(account, a_run("call", quantity=2 * ONE), key="k2", at=NOON + 15 * DAY)

    after, _ = given_back(account, charge)

    assert after.features == {"call": 2}
    assert (after.windows.period, after.windows.month) == (2 * ONE, 2 * ONE)
    assert after.totals[TotalKey("call")].calls == 0


def test_a_void_the_next_day_lowers_the_month_and_not_the_day() -> None:
    account, charge = charged(an_account(), a_run("sms", quantity=3 * ONE))

    after, entry = given_back(account, charge, after=DAY)

    assert (after.windows.day, after.windows.month, after.windows.period) == (0, 0, 0)
    assert entry.day == NOON.date() + DAY
    assert after.totals == {TotalKey("sms"): Total(calls=-1, credits_microcredits=-3 * ONE)}


def test_a_void_leaves_the_windows_that_its_charge_is_not_in() -> None:
    account, charge = charged(an_account("pro"), a_run("sms", quantity=3 * ONE))
    tomorrow, _ = charged(account, a_run("sms"), key="k2", at=NOON + DAY)
    next_year, _ = charged(account, a_run("sms"), key="k2", at=NOON + 365 * DAY)

    assert given_back(tomorrow, charge)[0].windows == Windows(ONE, ONE, ONE)
    assert given_back(next_year, charge)[0].windows == Windows(ONE, ONE, ONE)


def test_a_void_of_a_charge_whose_plan_was_changed_away_starts_no_second_life() -> None:
    account, charge = charged(an_account(), a_run("sms", quantity=10 * ONE))
    change = ChangePlan(a_key("p"), "h", "", plan="pro")
    account, _ = done(decide_plan_change(draft_of(account), change, CATALOG))

    after, _ = given_back(account, charge)

    assert [g.kind for g in after.grants] == [GrantKind.PLAN, GrantKind.ADJUSTMENT]
    assert after.available_microcredits == 60 * ONE


def test_a_closed_account_still_gets_its_credits_back() -> None:
    account, charge = charged(an_account(), a_run())

    after, _ = given_back(replace(account, status=Status.CLOSED), charge)

    assert after.available_microcredits == 10 * ONE
