"""What a refused caller can do next: the pack to buy, the plan to take, what it can pay already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_grant, a_run, an_account
from tests.unit.priced import llm, priced_with
from tollkeeper.domain.account import Account, OwnLimits, Windows
from tollkeeper.domain.catalog import Catalog, Limits, Pack, PlanTerms
from tollkeeper.domain.grants import GrantKind
from tollkeeper.domain.offers import Help, find_help, find_plans
from tollkeeper.domain.pricing import Consumption, Priced, Standing, price_run
from tollkeeper.domain.usage import Usage
from tollkeeper.domain.usage.pools import TokenPools

SMALL = Pack("small", "Small", 100 * ONE, 1000, "usd")
LARGE = Pack("large", "Large", 500 * ONE, 4000, "usd")
MIDDLE = Pack("middle", "Middle", 200 * ONE, 4000, "usd")


def with_credits(micro: int, kind: GrantKind = GrantKind.PROMO, plan: str = "free") -> Account:
    """An account with so many micro-credits in one grant; below 0 is debt."""
    grant = replace(a_grant(1, 0, kind), remaining_microcredits=max(0, micro))
    return replace(
        an_account(plan),
        grants=(grant,) if micro > 0 else (),
        debt_microcredits=max(0, -micro),
    )


def costing(micro: int) -> Priced:
    """A run at that price."""
    return replace(a_run("sms"), charged_microcredits=micro)


def help_with(shortfall: int, *packs: Pack) -> Help:
    """What would help an account that lacks so many micro-credits for a call."""
    catalog = replace(CATALOG, packs={pack.id: pack for pack in packs})
    return find_help(with_credits(7), costing(shortfall + 7), catalog)


def test_the_cheapest_pack_that_covers_the_shortfall_is_offered() -> None:
    assert help_with(101 * ONE, SMALL, LARGE, MIDDLE).offers == (LARGE,)
    assert help_with(50 * ONE, LARGE, SMALL).offers == (SMALL,)


def test_of_packs_at_one_price_the_first_by_name_is_offered() -> None:
    assert help_with(150 * ONE, MIDDLE, LARGE).offers == (LARGE,)


def test_a_pack_of_exactly_the_shortfall_covers_it() -> None:
    assert help_with(100 * ONE, SMALL, LARGE).offers == (SMALL,)
    assert help_with(100 * ONE + 1, SMALL, LARGE).offers == (LARGE,)


def test_where_no_pack_covers_the_shortfall_the_largest_is_offered() -> None:
    assert help_with(900 * ONE, SMALL, LARGE, MIDDLE).offers == (LARGE,)


def test_a_catalog_without_packs_offers_none() -> None:
    assert help_with(ONE).offers == ()


def test_a_pack_covers_the_debt_too_and_not_only_what_the_overdraft_does_not() -> None:
    """Why: a purchase pays debt first, so a pack of the bare shortfall would not help."""
    catalog = replace(CATALOG, packs={pack.id: pack for pack in (SMALL, LARGE)})
    account = with_credits(-4 * ONE, plan="deep")

    assert find_help(account, costing(101 * ONE), catalog).offers == (SMALL,)
    assert find_help(account, costing(102 * ONE), catalog).offers == (LARGE,)


def for_tokens(
    tokens: int, spendable: int, catalog: Catalog = CATALOG, output: int = 0
) -> dict[str, object]:
    """What an account that has so many micro-credits can pay, asking for tokens of gpt-4."""
    usage = Usage(TokenPools(input=tokens - output, output=output), None, None, ())
    priced = price_run(Consumption("chat", "gpt-4", usage=usage), CATALOG)
    return dict(find_help(with_credits(spendable), priced, catalog).affordable)


def test_tokens_that_are_affordable_are_counted_down_and_can_then_be_paid() -> None:
    """Why: 60 credits for a thousand tokens are 0.06 for one, and a part of one is none."""
    assert for_tokens(2000, 60 * ONE - 1) == {
        "tokens_total": 999,
        "tokens_output": 0,
        "models": ("gpt-3.5",),
    }
    assert for_tokens(2000, 60 * ONE)["tokens_total"] == 1000


def test_an_answer_may_be_as_long_as_what_the_question_leaves_of_the_credits() -> None:
    found = for_tokens(2000, 60 * ONE, output=1400)

    assert (found["tokens_total"], found["tokens_output"]) == (1000, 400)
    assert for_tokens(2000, 36 * ONE - 1, output=1400)["tokens_output"] == 0


def test_what_was_thought_and_said_counts_as_output() -> None:
    pools = TokenPools(input=600, output=100, reasoning=200, audio_output=300)
    usage = Usage(pools, None, None, ())
    priced = price_run(Consumption("chat", "gpt-4", usage=usage), CATALOG)

    found = find_help(with_credits(60 * ONE), priced, CATALOG).affordable

    assert found["tokens_output"] == 400


def test_a_model_fits_where_the_same_tokens_cost_exactly_what_is_there() -> None:
    assert for_tokens(2000, 4 * ONE)["models"] == ("gpt-3.5",)
    assert for_tokens(2000, 4 * ONE - 1)["models"] == ()
    assert for_tokens(2000, 120 * ONE)["models"] == ("gpt-4", "gpt-3.5")


def test_an_account_at_nothing_can_pay_no_token_and_neither_can_one_in_debt() -> None:
    """Why: what is spendable is never below nothing, however deep the debt is."""
    nothing = {"tokens_total": 0, "tokens_output": 0, "models": ()}

    assert for_tokens(2000, 0) == nothing
    assert for_tokens(2000, -1) == nothing


@pytest.mark.parametrize("operation", ["video", "minute", "own"])
def test_what_is_not_priced_by_tokens_has_no_tokens_to_afford(operation: str) -> None:
    assert find_help(with_credits(ONE), a_run(operation), CATALOG).affordable == {}


def test_a_flat_price_by_model_names_the_models_that_fit_and_no_tokens() -> None:
    run = a_run("image", model="gpt-4", tokens=1000)

    def fitting(micro: int, priced: Priced = run) -> object:
        return find_help(with_credits(micro), priced, CATALOG).affordable

    assert fitting(2 * ONE) == {"models": ("gpt-3.5",)}
    assert fitting(2 * ONE - 1) == {"models": ()}
    assert fitting(60 * ONE) == {"models": ("gpt-4", "gpt-3.5")}
    twice = price_run(Consumption("image", "gpt-4", quantity_micro=2 * ONE), CATALOG)
    assert fitting(60 * ONE, twice) == {"models": ("gpt-3.5",)}


# Plans.


def plans_for(account: Account, priced: Priced, catalog: Catalog = CATALOG) -> list[str]:
    """The plans that are offered."""
    return [plan.id for plan in find_help(account, priced, catalog).plans]


def test_the_smallest_plan_that_would_pay_is_offered() -> None:
    assert plans_for(an_account("free"), costing(15 * ONE)) == ["month"]
    assert plans_for(an_account("free"), costing(20 * ONE)) == ["month"]
    assert plans_for(an_account("free"), costing(20 * ONE + 1)) == ["pro"]
    assert plans_for(an_account("free"), costing(51 * ONE)) == []


def test_the_rest_of_the_old_plan_is_not_counted_and_other_credits_are() -> None:
    """Why: a plan that is taken now ends the old one's rest."""
    account = with_credits(6 * ONE, GrantKind.PLAN)
    richer = with_credits(6 * ONE, GrantKind.PACK)

    assert plans_for(account, costing(51 * ONE)) == []
    assert plans_for(richer, costing(56 * ONE)) == ["pro"]
    assert plans_for(richer, costing(56 * ONE + 1)) == []


def test_a_plan_pays_with_its_overdraft_too_and_pays_what_is_owed_first() -> None:
    assert plans_for(with_credits(0), costing(5 * ONE)) == ["deep"]
    assert plans_for(with_credits(-ONE, plan="free"), costing(5 * ONE)) == ["keep"]


def test_a_plan_of_which_a_limit_would_refuse_the_same_run_is_not_offered() -> None:
    def offered(limits: Limits, account: Account) -> list[str]:
        plans = {
            "free": CATALOG.plan("free"),
            "big": PlanTerms("big", "Big", 50 * ONE, limits=limits),
        }
        return plans_for(account, costing(15 * ONE), replace(CATALOG, plans=plans))

    spent = replace(an_account(), windows=Windows(day=2 * ONE, month=3 * ONE))
    assert offered(Limits(), spent) == ["big"]
    assert offered(Limits(day=17 * ONE, month=18 * ONE, run=15 * ONE), spent) == ["big"]
    assert offered(Limits(day=17 * ONE - 1), spent) == []
    assert offered(Limits(month=18 * ONE - 1), spent) == []
    assert offered(Limits(run=15 * ONE - 1), spent) == []


def test_the_accounts_own_limits_hold_on_another_plan_as_well() -> None:
    account = replace(an_account(), limits=OwnLimits(user=Limits(run=14 * ONE)))

    assert plans_for(account, costing(15 * ONE)) == []


def test_s1_15_a_used_up_feature_is_helped_by_a_plan_that_allows_more() -> None:
    account = replace(an_account(), features={"call": 3})

    assert [plan.id for plan in find_plans(account, a_run("call"), CATALOG).plans] == ["deep"]
    assert find_plans(account, a_run("call"), CATALOG).offers == ()


def test_a_plan_that_allows_the_feature_as_often_as_is_asked_is_offered() -> None:
    plans = {
        "free": CATALOG.plan("free"),
        "two": PlanTerms("two", "Two", 50 * ONE, features={"call": 2}),
    }
    catalog = replace(CATALOG, plans=plans)
    account = replace(an_account(), features={"call": 3})

    assert [p.id for p in find_plans(account, a_run("call", quantity=2 * ONE), catalog).plans] == [
        "two"
    ]
    assert find_plans(account, a_run("call", quantity=3 * ONE), catalog).plans == ()


def test_a_budget_is_offered_no_plan() -> None:
    account = replace(an_account(), parent="org")

    assert plans_for(account, costing(15 * ONE)) == []
    assert find_plans(account, a_run("call"), CATALOG).plans == ()


class TestPricesByPlanAndByTokens:
    CATALOG = priced_with(
        """
minimum = "0.001"
[plans.pro.prices.call]
credits = 20
[plans.max.prices.call]
credits = 5
[operations.call]
rule = "flat"
credits = 15
""",
        head="""
[account]
default_plan = "free"
[plans.free]
allocation = 1
[plans.pro]
allocation = 16
[plans.max]
allocation = 6
""",
    )

    def help_with(self, priced: Priced) -> Help:
        account = an_account(catalog=self.CATALOG)
        return find_help(account, priced, self.CATALOG)

    def test_a_plan_is_offered_by_what_the_run_costs_on_it(self) -> None:
        standing = Standing("free")
        priced = price_run(Consumption("call"), self.CATALOG, standing)
        pinned = replace(priced, run=replace(priced.run, price_version="older"))

        assert [plan.id for plan in self.help_with(priced).plans] == ["max"]
        assert [plan.id for plan in self.help_with(pinned).plans] == ["pro"]

    def test_of_tokens_it_says_how_many_of_the_same_kinds_can_be_paid(self) -> None:
        priced = llm(self.CATALOG, input=10**5)
        dear = replace(priced, charged_microcredits=10**12)

        assert self.help_with(priced).affordable == {"tokens_total": 5333}
        assert self.help_with(dear).affordable == {"tokens_total": 0}
        nothing = llm(self.CATALOG, input=0)
        assert self.help_with(nothing).affordable == {"tokens_total": 0}
