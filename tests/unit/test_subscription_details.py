"""What a paid line is, what its rows say, and what is too long ago to be worth anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.building import ACCOUNT, NOON, ONE, an_account, draft_of
from tests.unit.clawing import went_back
from tests.unit.subscriber_lines import Story
from tests.unit.subscribers import (
    A_DAY,
    MONTHS,
    SOLD,
    STORE,
    change,
    month,
)
from tollkeeper.domain.entries import EntryKind
from tollkeeper.domain.invoices import find_plan_lines
from tollkeeper.domain.paid_periods import KEPT_FOR
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.purchases import Purchase, PurchaseKind
from tollkeeper.domain.subscriptions import (
    NOTHING,
    Brought,
    Concern,
    LineOrigin,
    apply_line,
    invoice_purchase_id,
    line_key,
    offer_plan,
)

DECEMBER, JANUARY, FEBRUARY = MONTHS[1:4]
MOMENT = timedelta(milliseconds=1)
TWO_AT_ONCE = Concern(
    "subscriptions:sub_1:sub_2",
    "the account pays for two subscriptions at once, sub_1 and sub_2",
)


# ---- What is offered


def test_a_plan_is_offered_with_its_price_and_brings_nothing_by_itself() -> None:
    offered = offer_plan(
        SOLD["basic"], purchase_id="pur_9", account=ACCOUNT, request_hash="h", now=NOON
    )

    assert offered == Purchase(
        id="pur_9",
        account=ACCOUNT,
        pack="",
        pack_name="Basic",
        credits_microcredits=0,
        price_minor=2000,
        currency="usd",
        created_at=NOON,
        stripe_price="price_b",
        request_hash="h",
        kind=PurchaseKind.PLAN,
        plan="basic",
    )


def test_a_line_and_an_invoice_have_the_same_names_for_ever() -> None:
    assert line_key("in_1", "il_1") == "s#line:in_1.il_1"
    assert invoice_purchase_id(ACCOUNT, "in_1") == "pur_b7961f5415c1a9ccf4398e96222a0552"


def test_the_lines_of_one_invoice_are_told_together() -> None:
    (first,) = Story.begin().pay(month("1", "basic"))
    one = Brought(first.entry, 5, "g1", TWO_AT_ONCE)

    assert one.and_also(Brought(None, 7, "", None)) == Brought(first.entry, 12, "g1", TWO_AT_ONCE)
    assert NOTHING.and_also(one) == one.and_also(NOTHING) == one
    other = Brought(None, 0, "g2", replace(TWO_AT_ONCE, reason="x"))
    assert one.and_also(other) == Brought(first.entry, 5, "g2", replace(TWO_AT_ONCE, reason="x"))
    assert Brought(None, 0, "", None) == NOTHING


# ---- What the rows say


def test_each_row_of_a_line_names_its_invoice_and_the_purchase_that_stands_for_it() -> None:
    who = Story.begin(month("first", "basic"))

    who.pay(change("more", "large", days=21))

    origin = {
        "invoice": "in_more",
        "line": "il_more",
        "purchase": "pur_1",
        "subscription": "sub_1",
    }
    raised, changed = who.entries[-2:]
    assert (raised.details, raised.reason, raised.actor) == (origin, "plan large", "stripe")
    assert changed.details == {"from": "basic", "to": "large", "at": "proration"} | origin
    assert (changed.reason, changed.actor) == ("plan large", "stripe")


def test_credits_of_a_line_pay_what_is_owed_first() -> None:
    who = Story.begin(month("first", "basic"))
    late = DECEMBER + 5 * A_DAY
    who.wait(late)
    account, _, _ = went_back(who.account, 40, catalog=STORE)
    (each,) = find_plan_lines(change("more", "large", days=21), STORE)

    draft = draft_of(account, catalog=STORE)
    brought = apply_line(draft, each, LineOrigin("in_more", "pur_1"))

    (row,) = draft.entries
    assert brought == Brought(row, 400 * ONE, "g8")
    assert (row.kind, row.moved_microcredits) == (EntryKind.GRANT, 400 * ONE)
    assert (row.debt_change_microcredits, row.debt_after_microcredits) == (-30 * ONE, 0)
    assert row.grant is not None
    assert (row.grant.priority, row.grant.remaining_microcredits) == (20, 370 * ONE)
    assert (row.grant.effective_at, row.grant.expires_at) == (late, late + GRACE)


# ---- Of long ago


LONG_AGO = "paid, but for a period so long ago that nobody knows what is left of it"


@pytest.mark.parametrize("plan", ["basic", "saver"])
def test_a_period_is_long_ago_only_once_its_time_is_over(plan: str) -> None:
    just, over = Story.begin(), Story.begin()
    at = DECEMBER + KEPT_FOR

    (brought,) = just.pay(month("first", plan), at=at - MOMENT)
    (forgotten,) = over.pay(month("first", plan), at=at)

    assert brought.credits_microcredits == SOLD[plan].allocation_microcredits
    assert forgotten == Brought(concern=Concern("in_first", LONG_AGO))


def test_a_month_that_is_known_is_never_long_ago_for_a_change_within_it() -> None:
    who = Story.begin(month("first", "basic"))
    for number in range(1, 5):
        who.pay(month(f"m{number}", "basic", number), at=MONTHS[number])

    (brought,) = who.pay(change("late", "large", 2, days=5), at=MONTHS[4] + KEPT_FOR - MOMENT)

    assert brought.concern is None


def test_a_forgotten_period_of_which_nothing_could_be_left_is_no_concern() -> None:
    who = Story.begin()
    for number in range(1, 4):
        who.pay(month(f"m{number}", "saver", number), at=MONTHS[number])

    assert who.pay(month("m0", "basic")) == [NOTHING]
    assert who.pay(month("n0", "saver")) == [Brought(concern=Concern("in_n0", LONG_AGO))]


def test_a_budget_is_put_onto_its_plan_and_gets_nothing() -> None:
    team = replace(an_account(catalog=STORE), parent="user_2")
    (each,) = find_plan_lines(month("first", "basic"), STORE)

    brought = apply_line(draft_of(team, catalog=STORE), each, LineOrigin("in_first", "pur_1"))

    assert (brought.credits_microcredits, brought.grant) == (0, "")
    assert brought.entry is not None and brought.entry.details["to"] == "basic"
