"""Paid lines in the corners: late ones, equal ones, other subscriptions, and an operator's plan."""

from __future__ import annotations

from tests.unit.building import ONE, a_key, draft_of
from tests.unit.subscriber_lines import Story
from tests.unit.subscribers import (
    A_DAY,
    MONTHS,
    STORE,
    a_line,
    an_invoice,
    change,
    month,
    of_other,
)
from tollkeeper.domain.operating import ChangePlan, decide_plan_change
from tollkeeper.domain.paid_periods import SUBSCRIPTIONS_KEPT
from tollkeeper.domain.periods import GRACE
from tollkeeper.domain.subscriptions import NOTHING

NOVEMBER, DECEMBER, JANUARY = MONTHS[:3]
LATE = DECEMBER + 5 * A_DAY


def test_one_that_is_paid_drives_in_the_place_of_one_whose_time_is_over() -> None:
    who = Story.begin()
    who.pay(month("old", "large"), at=LATE)
    who.hush()

    who.pay(of_other(month("new", "basic", 1)), at=LATE)

    assert who.tell() == (
        "reset t#reset:3:2026-12-06T00:00:00.001000Z +100 g7 plan 100/100 until 2027-01-04\n"
        "plan_change s#line:in_new.il_new +0 large > basic at invoice\n"
        "\n"
        "basic#3 by sub_2: 12-06+1 to 2027-01-04\n"
        "sub_1 large at 11-01 11-01 1h (g5) 11-01 to 12-01 large=500\n"
        "sub_2 basic at 12-01 12-01 1h (g7) 12-01 to 2027-01-01 basic=100\n"
        "g5 plan 500/500 until 12-09\n"
        "g7 plan 100/100 until 2027-01-04"
    )


def test_of_two_whose_time_is_over_the_first_one_told_drives_on() -> None:
    who = Story.begin()
    who.pay(month("old", "large"), at=LATE)

    who.pay(of_other(month("new", "keeper")), at=LATE)

    assert who.stands == ("large", 700, "sub_1")


def test_what_a_capped_plan_kept_is_not_spent_by_the_lapse() -> None:
    who = Story.begin(month("one", "capped"))
    who.wait(LATE)
    who.hush()

    who.pay(month("two", "capped", 1), at=LATE)

    assert who.tell() == (
        "reset t#reset:4:2026-12-06T00:00:00.001000Z +60 g7 plan 85/85 until 2027-01-04 25 of g5\n"
        "expire t#expire:g5 -10 g5 plan 0/35 until 12-06+1\n"
        "plan_change s#line:in_two.il_two +0 free > capped at invoice\n"
        "\n"
        "capped#4 by sub_1: 12-06+1 to 2027-01-04\n"
        "sub_1 capped at 12-01 12-01 1h (g7) 11-01 to 12-01 capped=60; "
        "12-01 to 2027-01-01 capped=60\n"
        "g7 plan 85/85 until 2027-01-04"
    )


def test_a_change_puts_an_account_back_onto_its_subscription_and_ends_the_operators_plan() -> None:
    who = Story.begin(month("one", "saver"))
    who.pay(month("two", "saver", 1), at=DECEMBER)
    command = ChangePlan(a_key("pro"), "h", "", plan="pro")
    decision = decide_plan_change(draft_of(who.account, catalog=STORE), command, STORE)
    who.account = decision.account
    who.entries += decision.entries
    assert who.stands == ("pro", 50, "")
    who.hush()

    who.pay(change("more", "keeper", 1, days=4), at=LATE)

    rows, _, stands = who.tell().partition("\n\n")
    assert [row.split()[:3] for row in rows.split("\n")] == [
        ["expire", "t#expire:g8", "-50"],
        ["reset", "t#reset:5:2026-12-06T00:00:00.000000Z", "+140"],
        ["plan_change", "s#line:in_more.il_more", "+0"],
    ]
    assert stands.startswith("keeper#5 by sub_1: 12-06 to 2027-01-04\n")
    assert who.stands == ("keeper", 140, "sub_1")


def test_of_two_lines_of_one_invoice_and_time_the_larger_is_the_plan() -> None:
    who = Story.begin()
    lines = (
        a_line("more", "large", NOVEMBER, DECEMBER, is_proration=True),
        a_line("base", "basic", NOVEMBER, DECEMBER),
    )

    who.pay(an_invoice("both", *lines))

    assert who.tell().split("\n")[2:5] == [
        "plan_change s#line:in_both.il_base +0 free > basic at invoice",
        "grant s#line:in_both.il_more.raise +400 g5 plan 400/400 until 12-04",
        "plan_change s#line:in_both.il_more +0 basic > large at proration",
    ]
    assert who.stands == ("large", 500, "sub_1")


def test_a_line_that_says_nothing_new_leaves_no_row() -> None:
    who = Story.begin(month("one", "saver"))
    who.pay(month("two", "saver", 1), at=DECEMBER)

    assert who.pay(change("again", "saver", days=5), at=DECEMBER) == [NOTHING]


def test_a_raise_of_what_does_not_drive_stays_for_its_own_days_of_grace() -> None:
    who = Story.begin(month("one", "large"), of_other(month("two", "basic")))

    (brought,) = who.pay(of_other(change("more", "keeper", days=21)))

    row = who.entries[-1]
    assert (brought.entry, row.key) == (row, "s#line:in_more.il_more")
    assert row.grant is not None and row.grant.expires_at == DECEMBER + GRACE
    assert brought.credits_microcredits == 100 * ONE


def test_what_would_have_rolled_over_stays_as_long_as_what_did() -> None:
    who = Story.begin(month("one", "saver"))
    who.wait(LATE)
    who.hush()

    who.pay(change("more", "keeper", days=20), at=LATE)

    assert who.tell() == (
        "grant s#line:in_more.il_more +140 g6 plan 140/140 until 2027-01-01\n"
        "\n"
        "free#3 by calendar: 12-04 to 2027-01-01\n"
        "sub_1 keeper at 11-21 11-21 1h (g3 g6) 11-01 to 12-01 keeper=200 saver=60\n"
        "g5 plan 70/70 until 2027-01-01\n"
        "g6 plan 140/140 until 2027-01-01"
    )


def test_what_drives_is_known_however_many_others_are_paid() -> None:
    who = Story.begin(month("one", "large"))

    for number in range(2, SUBSCRIPTIONS_KEPT + 4):
        who.pay(of_other(month(f"m{number}", "basic"), f"sub_{number}"))

    assert who.account.plan.driver is not None
    assert who.stands[2] == "sub_1"
