"""The one judgement: its rules in their order, and a 402 whose help would have helped."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.building import (
    CATALOG,
    ONE,
    STEADY,
    a_key,
    a_run,
    an_account,
    charged,
    draft_of,
    granted,
)
from tests.unit.holding import QUARTER, costing, funded, limited, opened, with_plan
from tollkeeper.domain.account import Account, OwnLimits, Status
from tollkeeper.domain.catalog import Catalog, Limits
from tollkeeper.domain.charges import Charge, decide_charge
from tollkeeper.domain.errors import (
    AccountClosedError,
    AccountFrozenError,
    FeatureLimitError,
    InsufficientCreditsError,
    LimitReachedError,
    TollkeeperError,
)
from tollkeeper.domain.gate import account_warnings, find_warnings, refuse_unable
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.holds import OpenHold, decide_hold
from tollkeeper.domain.offers import Help
from tollkeeper.domain.operating import ChangePlan, decide_plan_change
from tollkeeper.domain.pricing import Consumption, Priced, price_run
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools


def refusal_of(
    account: Account, priced: Priced, catalog: Catalog = CATALOG
) -> TollkeeperError | None:
    """The refusal, if it is one."""
    try:
        refuse_unable(account, priced, catalog)
    except TollkeeperError as refusal:
        return refusal
    return None


def help_of(account: Account, priced: Priced, catalog: Catalog = CATALOG) -> Help:
    """What the refusal says would help."""
    refusal = refusal_of(account, priced, catalog)
    assert isinstance(refusal, InsufficientCreditsError)
    assert isinstance(refusal.help, Help)
    return refusal.help


def test_what_credits_would_not_help_with_is_said_first() -> None:
    """Why: else somebody buys credits and is refused again."""
    account, _ = limited(an_account(), day=2, month=3, run=1)
    account = replace(account, features={"call": 3}, status=Status.CLOSED)
    priced = costing(50, a_run("call"))

    def blocking() -> object:
        refusal = refusal_of(account, priced)
        return getattr(refusal, "blocking", type(refusal))

    said = [blocking()]
    account = replace(account, status=Status.FROZEN)
    said.append(blocking())
    account = replace(account, status=Status.ACTIVE)
    said.append(blocking())
    account, _ = limited(account, run=None)
    said.append(blocking())
    account = replace(account, features={})
    said.append(blocking())
    account, _ = limited(account, day=None)
    said.append(blocking())
    account, _ = limited(account, month=None)
    said.append(blocking())
    account, _ = granted(account, 40)
    said.append(blocking())

    assert said == [
        AccountClosedError,
        AccountFrozenError,
        "per_run_max",
        "feature_limit",
        "daily_limit",
        "monthly_limit",
        "balance",
        type(None),
    ]


def test_a_refusal_says_where_the_account_stands() -> None:
    account, _ = opened(an_account(), 4)

    refusal = refusal_of(account, costing(7))

    assert isinstance(refusal, InsufficientCreditsError)
    position = refusal.position
    assert (position.required_microcredits, position.available_microcredits) == (7 * ONE, 6 * ONE)
    assert (position.spendable_microcredits, position.held_microcredits) == (6 * ONE, 4 * ONE)
    assert (position.level, refusal.shortfall_microcredits) == ("account", ONE)


def test_a_denial_names_the_budget_and_whose_it_is() -> None:
    _, budget, _ = funded(an_account("pro"), 4, limits={"day": 3 * ONE, "run": 2 * ONE})
    unlimited = replace(budget, limits=OwnLimits())

    poor, run = refusal_of(unlimited, costing(7)), refusal_of(budget, costing(2.5))
    spent, _ = charged(budget, a_run("sms", quantity=2 * ONE))
    day = refusal_of(spent, costing(2))

    for refusal in (poor, run, day):
        assert isinstance(refusal, InsufficientCreditsError)
        assert refusal.position.level == "budget"
        assert "in the budget team_1 of user_1" in refusal.detail
    assert isinstance(poor, InsufficientCreditsError)
    assert poor.resets_at is None, "a budget has no allocation to wait for"


def test_a_plan_without_an_allocation_promises_no_reset() -> None:
    refusal = refusal_of(an_account("deep"), costing(7))

    assert isinstance(refusal, InsufficientCreditsError)
    assert refusal.resets_at is None


# Hold, charge and check never disagree.

AMOUNTS = st.integers(0, 14).map(lambda quarter: quarter * ONE // 2)
LIMITS = st.none() | st.integers(1, 14).map(lambda quarter: quarter * ONE // 2)


@STEADY
@given(
    held=AMOUNTS,
    spent=AMOUNTS,
    cost=AMOUNTS,
    limits=st.builds(Limits, LIMITS, LIMITS, LIMITS),
    used=st.integers(0, 4),
)
def test_check_hold_and_deduct_ask_one_judgement(
    held: int, spent: int, cost: int, limits: Limits, used: int
) -> None:
    account = an_account("free")
    if held:
        account, _ = opened(account, held / ONE)
    if spent and spent + held <= 10 * ONE:
        account, _ = charged(account, costing(spent / ONE))
    account = replace(account, limits=OwnLimits(operator=limits), features={"call": used})
    priced = replace(a_run("call"), charged_microcredits=cost)
    refusal = refusal_of(account, priced)

    for decide in (
        lambda: decide_charge(draft_of(account), Charge(a_key(), "h", priced), CATALOG),
        lambda: decide_hold(draft_of(account), OpenHold("new", "h", priced, QUARTER), CATALOG),
    ):
        if refusal is None:
            assert decide().account.available_microcredits == account.available_microcredits - cost
        else:
            with pytest.raises(type(refusal)) as again:
                decide()
            assert again.value.detail == refusal.detail


# What a 402 says is true: do what it says, and the same run passes.


def after_buying(account: Account, credits: int) -> Account:
    """The account with a pack of so many micro-credits."""
    return granted(account, credits // ONE, GrantKind.PACK, key="pack")[0]


def after_taking(account: Account, plan: str, catalog: Catalog) -> Account:
    """The account on the plan, now."""
    command = ChangePlan(a_key("plan"), "h", "", plan=plan)
    return decide_plan_change(draft_of(account, None, catalog), command, catalog).account


@STEADY
@given(
    plan=st.sampled_from(sorted(CATALOG.plans)),
    held=st.integers(0, 8),
    spent=st.integers(0, 8),
    cost=st.integers(1, 600),
    day=st.none() | st.integers(1, 60),
    used=st.integers(0, 4),
)
def test_what_a_refusal_offers_would_have_let_the_same_run_pass(
    *, plan: str, held: int, spent: int, cost: int, day: int | None, used: int
) -> None:
    account = an_account(plan)
    with suppress(InsufficientCreditsError):
        account, _ = opened(account, held)
    with suppress(InsufficientCreditsError):
        account, _ = charged(account, costing(spent))
    account = replace(
        account,
        limits=OwnLimits(user=Limits(day=None if day is None else day * ONE)),
        features={"call": used},
    )
    priced = replace(a_run("call"), charged_microcredits=cost * ONE)
    refusal = refusal_of(account, priced)
    if not isinstance(refusal, InsufficientCreditsError) or refusal.help is None:
        return

    assert isinstance(refusal.help, Help)
    largest = max(pack.credits_microcredits for pack in CATALOG.packs.values())
    for pack in refusal.help.offers:
        then = refusal_of(after_buying(account, pack.credits_microcredits), priced)
        assert then is None or pack.credits_microcredits == largest
    for terms in refusal.help.plans:
        assert refusal_of(after_taking(account, terms.id, CATALOG), priced) is None, terms.id


def tokens(count: int, output: int, model: str = "gpt-4") -> Priced:
    """A chat of so many tokens in all."""
    usage = Usage(TokenPools(input=count - output, output=output), None, None, ())
    return price_run(Consumption("chat", model, usage=usage), CATALOG)


@STEADY
@given(count=st.integers(1, 3000), output=st.integers(0, 3000), spent=st.integers(0, 10))
def test_what_is_affordable_can_then_be_paid_and_a_token_more_cannot(
    count: int, output: int, spent: int
) -> None:
    output = min(output, count)
    account, _ = charged(an_account(), costing(spent))
    priced = tokens(count, output)
    if refusal_of(account, priced) is None:
        return

    said = dict(help_of(account, priced).affordable)

    most, longest = said["tokens_total"], said["tokens_output"]
    assert isinstance(most, int) and isinstance(longest, int)
    assert refusal_of(account, tokens(most, 0)) is None or most == 0
    assert refusal_of(account, tokens(most + 1, 0)) is not None
    if longest:
        assert refusal_of(account, tokens(count - output + longest, longest)) is None
    models = said["models"]
    assert isinstance(models, tuple)
    for model in ("gpt-4", "gpt-3.5"):
        assert (refusal_of(account, tokens(count, output, model)) is None) == (model in models)


def test_s2_14_a_feature_that_is_used_up_is_helped_by_no_pack() -> None:
    account = replace(an_account(), features={"call": 3})

    found = help_of(account, a_run("call"))

    assert (found.offers, [plan.id for plan in found.plans]) == ((), ["deep"])
    refusal = refusal_of(account, a_run("call"))
    assert isinstance(refusal, FeatureLimitError)
    assert refusal.blocking == "feature_limit"


def test_a_reached_limit_is_helped_by_no_pack_and_no_plan() -> None:
    account, _ = limited(an_account(), day=1)
    refusal = refusal_of(account, costing(2))

    assert isinstance(refusal, LimitReachedError)
    assert refusal.help is None


# Warnings.


@pytest.mark.parametrize(
    ("spent", "held", "warnings"),
    [
        (7, 0, ()),
        (8, 0, ("daily_limit_near",)),
        (4, 4, ("daily_limit_near",)),
        (10, 0, ("daily_limit_reached",)),
        (5, 5, ("daily_limit_reached",)),
    ],
)
def test_a_limit_that_is_nearly_or_wholly_used_is_warned_of(
    spent: int, held: int, warnings: tuple[str, ...]
) -> None:
    account, _ = limited(an_account("pro"), day=10)
    account, _ = charged(account, costing(spent))
    if held:
        account, _ = opened(account, held)

    assert account_warnings(account, CATALOG) == warnings


def test_s2_11_a_low_balance_is_warned_of_at_what_the_account_calls_low() -> None:
    account, _ = charged(an_account(), costing(5))

    assert account_warnings(account, CATALOG) == ("low_balance",)
    lower, _ = limited(account, low=(2 * ONE,))
    assert account_warnings(lower, CATALOG) == ()


def test_the_usages_own_warnings_come_first() -> None:
    account, _ = charged(an_account(), costing(9))
    priced = replace(a_run("sms"), run=replace(a_run("sms").run, warnings=("total_only",)))

    assert find_warnings(account, priced, CATALOG) == ("total_only", "low_balance")


def test_a_plan_with_limits_of_its_own_warns_of_them() -> None:
    catalog = with_plan(limits=Limits(month=5 * ONE))
    account, _ = charged(an_account(catalog=catalog), costing(4))

    assert account_warnings(account, catalog) == ("monthly_limit_near",)
