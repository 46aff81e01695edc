"""Who owes for money that went back spends nothing on credit, and is told what would help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_key, an_account, draft_of, granted
from tests.unit.clawing import owing, went_back
from tests.unit.holding import costing, opened, settled, settling, with_plan
from tollkeeper.domain.account import Account
from tollkeeper.domain.catalog import Catalog, Pack, SettlePolicy
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.errors import InsufficientCreditsError
from tollkeeper.domain.gate import refuse_unable
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.offers import Help
from tollkeeper.domain.operating import ChangePlan, decide_plan_change


def refused(account: Account, credits: float, catalog: Catalog = CATALOG) -> Help:
    """What a call at that price is told would help."""
    with pytest.raises(InsufficientCreditsError) as caught:
        refuse_unable(account, costing(credits), catalog)
    assert caught.value.blocking == "debt"
    assert isinstance(caught.value.help, Help)
    return caught.value.help


def test_no_overdraft_is_there_for_who_owes_for_money_that_went_back() -> None:
    account = owing(1, plan="deep")

    assert account.spendable_microcredits(CATALOG) == 0
    assert account.available_microcredits == -ONE
    refused(account, 1)


def test_a_call_that_costs_nothing_is_let_through() -> None:
    refuse_unable(owing(1), costing(0), CATALOG)


def test_the_refusal_says_what_is_owed_and_what_has_to_come_in() -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        refuse_unable(owing(30), costing(2), CATALOG)

    error = caught.value
    assert str(error) == (
        "sms needs 2 credits; -30 are available. 30 are owed for a payment that went back."
    )
    assert (error.blocking, error.shortfall_microcredits) == ("debt", 32 * ONE)
    assert error.position.spendable_microcredits == 0


def test_who_only_lacks_credits_is_told_of_the_balance_and_not_of_debt() -> None:
    account = went_back(an_account(), 10)[0]

    with pytest.raises(InsufficientCreditsError) as caught:
        refuse_unable(account, costing(2), CATALOG)

    assert (caught.value.blocking, caught.value.shortfall_microcredits) == ("balance", 2 * ONE)
    assert "owed" not in str(caught.value)


@pytest.mark.parametrize("owed", [1, 3, 5, 6, 30])
@pytest.mark.parametrize("price", [1, 4, 5, 6, 9])
@pytest.mark.parametrize("plan", ["free", "deep"])
def test_the_pack_that_is_offered_really_lets_the_call_pass_and_a_smaller_one_does_not(
    owed: int, price: int, plan: str
) -> None:
    packs = {str(size): Pack(str(size), "", size * ONE, size, "usd") for size in range(1, 60)}
    catalog = replace(CATALOG, packs=packs)
    account = owing(owed, plan)

    (pack,) = refused(account, price, catalog).offers

    size = pack.credits_microcredits // ONE
    for bought, is_enough in ((size, True), (size - 1, False)):
        after = granted(account, bought, GrantKind.PACK)[0] if bought else account
        command = Charge(a_key("again"), "h", costing(price))
        try:
            decide_charge(draft_of(after), command, catalog)
        except InsufficientCreditsError:
            assert not is_enough
        else:
            assert is_enough


def test_a_plan_is_offered_only_where_its_allocation_pays_what_is_owed() -> None:
    catalog = with_plan(allocation_microcredits=0)

    (plan,) = refused(owing(19), 1, catalog).plans
    assert plan.id == "month"
    command = ChangePlan(a_key("change"), "h", "", plan=plan.id)
    account = decide_plan_change(draft_of(owing(19)), command, catalog).account
    refuse_unable(account, costing(1), catalog)

    (plan,) = refused(owing(20), 1, catalog).plans
    assert plan.id == "pro"
    assert refused(owing(51), 1, catalog).plans == ()


def test_a_plan_whose_overdraft_would_pay_the_price_is_no_help_while_money_is_owed() -> None:
    assert "deep" not in [plan.id for plan in refused(owing(1), 1).plans]


def test_a_hold_is_refused_as_a_charge_is() -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        opened(owing(1, plan="deep"), 1)

    assert caught.value.blocking == "debt"


def test_a_settle_above_its_hold_takes_no_overdraft_while_money_is_owed() -> None:
    catalog = settling(SettlePolicy.CHARGE_AVAILABLE, overdraft=5)
    account, _ = opened(an_account(), 10, catalog=catalog)
    account, _, _ = went_back(account, 1, catalog=catalog)

    account, entry = settled(account, 12, catalog=catalog)

    assert (entry.moved_microcredits, entry.uncollected_microcredits) == (10 * ONE, 2 * ONE)
    assert account.debt_microcredits == ONE


def test_a_plan_that_takes_all_of_a_settle_takes_it_whoever_owes() -> None:
    catalog = settling(SettlePolicy.DEBT)
    account, _ = opened(an_account(), 10, catalog=catalog)
    account, _, _ = went_back(account, 1, catalog=catalog)

    account, entry = settled(account, 12, catalog=catalog)

    assert entry.moved_microcredits == 12 * ONE
    assert entry.clawback_debt_change_microcredits == 0
    assert (account.debt_microcredits, account.clawback_debt_microcredits) == (3 * ONE, ONE)
