"""What a subscription paid for as rows of the account item."""

from __future__ import annotations

import pytest

from tests.unit.building import NOON
from tests.unit.subscribers import MONTHS
from tollkeeper.domain.account import PlanState
from tollkeeper.domain.paid_periods import PaidPeriod, Subscribed
from tollkeeper.store.paid_rows import put_paid, read_paid
from tollkeeper.store.rows import Item, dump, string


def test_a_subscription_that_allots_nothing_is_read_as_it_was_written() -> None:
    """Why: a budget is put onto its plan, and its credits come from whoever funds it."""
    period = PaidPeriod(MONTHS[0], MONTHS[1], (("basic", 0),))
    paid = (Subscribed("sub_1", "basic", (MONTHS[0], NOON), (period,)),)
    plan = PlanState("basic", 1, NOON, MONTHS[1], subscription="sub_1", paid=paid)
    item: Item = {"sb": string("sub_1"), "pl": string("basic")}

    put_paid(item, plan)

    assert not {"ap", "pd"} & set(item)
    assert read_paid(item) == paid


def test_a_period_whose_last_plan_says_no_allocation_is_no_row_of_ours() -> None:
    ended = [0, 1_000, 0, "basic", 5_000_000, "pro"]
    row = ["sub_1", "pro", 0, 0, 0, [], [ended]]

    with pytest.raises(ValueError, match="shorter"):
        read_paid({"pd": string(dump([row]))})
