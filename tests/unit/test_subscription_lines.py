"""What paid lines and ends leave, line by line: rows, periods, what is known, and grants."""

from __future__ import annotations

from tests.unit.building import ONE
from tests.unit.subscriber_lines import Story
from tests.unit.subscribers import A_DAY, MONTHS, change, month, of_other
from tests.unit.test_subscription_details import TWO_AT_ONCE
from tollkeeper.domain.periods import GRACE

DECEMBER, JANUARY, FEBRUARY = MONTHS[1:4]


# ---- One subscription


def test_a_month_a_raise_a_renewal_and_an_end_line_by_line() -> None:
    who = Story.begin()

    who.pay(month("first", "basic"))
    assert who.tell() == (
        "expire t#expire:g1 -10 g1 plan 0/10 until 12-01\n"
        "reset t#reset:2:2026-11-20T12:00:00.001000Z +100 g3 plan 100/100 until 12-04\n"
        "plan_change s#line:in_first.il_first +0 free > basic at invoice\n"
        "\n"
        "basic#2 by sub_1: 11-20 12h+1 to 12-04\n"
        "sub_1 basic at 11-01 11-01 1h (g3) 11-01 to 12-01 basic=100\n"
        "g3 plan 100/100 until 12-04"
    )
    who.pay(change("more", "large", days=21))
    assert who.tell() == (
        "grant s#line:in_more.il_more.raise +400 g5 plan 400/400 until 12-04\n"
        "plan_change s#line:in_more.il_more +0 basic > large at proration\n"
        "\n"
        "large#2 by sub_1: 11-20 12h+1 to 12-04\n"
        "sub_1 large at 11-22 11-22 1h (g3 g5) 11-01 to 12-01 basic=100 large=500\n"
        "g3 plan 100/100 until 12-04\n"
        "g5 plan 400/400 until 12-04"
    )
    who.pay(month("second", "basic", 1), at=DECEMBER + A_DAY)
    assert who.tell() == (
        "reset t#reset:3:2026-12-02T00:00:00.000000Z +100 g7 plan 100/100 until 2027-01-04\n"
        "expire t#expire:g3 -100 g3 plan 0/100 until 12-02\n"
        "expire t#expire:g5 -400 g5 plan 0/400 until 12-02\n"
        "plan_change s#line:in_second.il_second +0 large > basic at invoice\n"
        "\n"
        "basic#3 by sub_1: 12-02 to 2027-01-04\n"
        "sub_1 basic at 12-01 12-01 1h (g7) 11-01 to 12-01 basic=100 large=500; "
        "12-01 to 2027-01-01 basic=100\n"
        "g7 plan 100/100 until 2027-01-04"
    )
    who.end(at=DECEMBER + 2 * A_DAY)
    assert who.tell() == (
        "expire t#expire:g7 -100 g7 plan 0/100 until 2027-01-04\n"
        "reset t#reset:4:2026-12-03T00:00:00.000000Z +10 g12 plan 10/10 until 2027-01-01\n"
        "plan_change s#subscription_end:sub_1 +0 basic > free at subscription_end\n"
        "\n"
        "free#4 by calendar: 12-03 to 2027-01-01\n"
        "g12 plan 10/10 until 2027-01-01"
    )


def test_what_rolls_over_of_each_period_line_by_line() -> None:
    who = Story.begin(month("one", "saver"))
    who.spend(20)

    who.pay(month("two", "saver", 1), at=DECEMBER)
    assert who.tell() == (
        "reset t#reset:3:2026-12-01T00:00:00.000000Z +60 g6 plan 100/100 until 2027-01-04 "
        "40 of g3\n"
        "plan_change s#line:in_two.il_two +0 saver > saver at invoice\n"
        "\n"
        "saver#3 by sub_1: 12-01 to 2027-01-04\n"
        "sub_1 saver at 12-01 12-01 1h (g6) 11-01 to 12-01 saver=60 spent 20; "
        "12-01 to 2027-01-01 saver=60\n"
        "g6 plan 100/100 until 2027-01-04"
    )
    who.spend(30)
    who.pay(month("three", "capped", 2), at=JANUARY + A_DAY)
    assert who.tell() == (
        "reset t#reset:4:2027-01-02T00:00:00.000000Z +60 g9 plan 130/130 until 2027-02-04 "
        "70 of g6\n"
        "plan_change s#line:in_three.il_three +0 saver > capped at invoice\n"
        "\n"
        "capped#4 by sub_1: 2027-01-02 to 2027-02-04\n"
        "sub_1 capped at 2027-01-01 2027-01-01 1h (g9) 11-01 to 12-01 saver=60 spent 20; "
        "12-01 to 2027-01-01 saver=60 spent 30; 2027-01-01 to 2027-02-01 capped=60\n"
        "g9 plan 130/130 until 2027-02-04"
    )
    who.pay(month("four", "saver", 3), at=FEBRUARY)
    assert who.tell() == (
        "reset t#reset:5:2027-02-01T00:00:00.000000Z +60 g11 plan 85/85 until 2027-03-04 "
        "25 of g9\n"
        "expire t#expire:g9 -105 g9 plan 0/130 until 2027-02-01\n"
        "plan_change s#line:in_four.il_four +0 capped > saver at invoice\n"
        "\n"
        "saver#5 by sub_1: 2027-02-01 to 2027-03-04\n"
        "sub_1 saver at 2027-02-01 2027-02-01 1h carried 40 (g11) "
        "12-01 to 2027-01-01 saver=60 spent 30; 2027-01-01 to 2027-02-01 capped=60; "
        "2027-02-01 to 2027-03-01 saver=60\n"
        "g11 plan 85/85 until 2027-03-04"
    )


def test_what_rolls_over_into_the_calendars_period_and_back_line_by_line() -> None:
    who = Story.begin(month("one", "saver"))

    who.wait(DECEMBER + GRACE)
    assert who.tell() == (
        "reset t#reset:3:2026-12-04T00:00:00.000000Z +10 g5 plan 70/70 until 2027-01-01 "
        "60 of g3\n"
        "\n"
        "free#3 by calendar: 12-04 to 2027-01-01\n"
        "sub_1 saver at 11-01 11-01 1h (g3) 11-01 to 12-01 saver=60\n"
        "g5 plan 70/70 until 2027-01-01"
    )
    who.spend(30)
    who.pay(month("two", "saver", 1), at=DECEMBER + 5 * A_DAY)
    assert who.tell() == (
        "reset t#reset:4:2026-12-06T00:00:00.000000Z +60 g7 plan 100/100 until 2027-01-04 "
        "40 of g5\n"
        "plan_change s#line:in_two.il_two +0 free > saver at invoice\n"
        "\n"
        "saver#4 by sub_1: 12-06 to 2027-01-04\n"
        "sub_1 saver at 12-01 12-01 1h (g7) 11-01 to 12-01 saver=60 spent 20; "
        "12-01 to 2027-01-01 saver=60\n"
        "g7 plan 100/100 until 2027-01-04"
    )


def test_a_change_that_is_told_after_the_lapse_line_by_line() -> None:
    who = Story.begin(month("first", "basic"))
    late = DECEMBER + 5 * A_DAY
    who.wait(late)
    who.hush()

    who.pay(change("late", "large", days=20), at=late)

    assert who.tell() == (
        "grant s#line:in_late.il_late +400 g7 plan 400/400 until 12-09\n"
        "\n"
        "free#3 by calendar: 12-04 to 2027-01-01\n"
        "sub_1 large at 11-21 11-21 1h (g3 g7) 11-01 to 12-01 basic=100 large=500\n"
        "g7 plan 400/400 until 12-09\n"
        "g5 plan 10/10 until 2027-01-01"
    )


def test_an_older_month_is_noted_where_something_of_it_could_be_left() -> None:
    who = Story.begin(month("one", "basic", 1))

    who.pay(month("zero", "large"))

    assert who.tell() == (
        "plan_change s#line:in_zero.il_zero +0 basic > basic at late\n"
        "\n"
        "basic#2 by sub_1: 11-20 12h+1 to 2027-01-04\n"
        "sub_1 basic at 12-01 12-01 1h (g3) 11-01 to 12-01 large=500; "
        "12-01 to 2027-01-01 basic=100\n"
        "g3 plan 100/100 until 2027-01-04"
    )


# ---- Two subscriptions


def test_one_of_two_line_by_line() -> None:
    who = Story.begin(month("one", "large"))

    assert [each.concern for each in who.pay(of_other(month("two", "basic")))] == [TWO_AT_ONCE]
    who.pay(of_other(month("three", "basic", 1)), at=DECEMBER + A_DAY)
    assert who.tell() == (
        "grant s#line:in_two.il_two +100 g5 plan 100/100 until 12-04\n"
        "grant s#line:in_three.il_three +100 g6 plan 100/100 until 2027-01-04\n"
        "\n"
        "large#2 by sub_1: 11-20 12h+1 to 12-04\n"
        "sub_1 large at 11-01 11-01 1h (g3) 11-01 to 12-01 large=500\n"
        "sub_2 basic at 12-01 12-01 1h (g5 g6) 11-01 to 12-01 basic=100; "
        "12-01 to 2027-01-01 basic=100\n"
        "g3 plan 500/500 until 12-04\n"
        "g5 plan 100/100 until 12-04\n"
        "g6 plan 100/100 until 2027-01-04"
    )
    who.end("sub_1", at=DECEMBER + A_DAY)
    assert who.tell() == (
        "expire t#expire:g3 -500 g3 plan 0/500 until 12-04\n"
        "reset t#reset:3:2026-12-02T00:00:00.001000Z +0\n"
        "plan_change s#subscription_end:sub_1 +0 large > basic at subscription_end\n"
        "\n"
        "basic#3 by sub_2: 12-02+1 to 2027-01-04\n"
        "sub_2 basic at 12-01 12-01 1h (g5 g6) 11-01 to 12-01 basic=100; "
        "12-01 to 2027-01-01 basic=100\n"
        "g5 plan 100/100 until 12-04\n"
        "g6 plan 100/100 until 2027-01-04"
    )


def test_a_smaller_plan_hands_over_and_a_larger_one_takes_back_line_by_line() -> None:
    who = Story.begin(month("one", "large"), of_other(month("two", "keeper")))

    who.pay(change("less", "basic", days=21))
    assert who.tell() == (
        "reset t#reset:3:2026-11-20T12:00:00.003000Z +0\n"
        "plan_change s#line:in_less.il_less +0 large > keeper at invoice\n"
        "\n"
        "keeper#3 by sub_2: 11-20 12h+3 to 12-04\n"
        "sub_1 basic at 11-22 11-22 1h (g3) 11-01 to 12-01 basic=100 large=500\n"
        "sub_2 keeper at 11-01 11-01 1h (g5) 11-01 to 12-01 keeper=200\n"
        "g3 plan 500/500 until 12-04\n"
        "g5 plan 200/200 until 12-04"
    )
    who.pay(change("again", "large", days=22))
    assert who.tell() == (
        "reset t#reset:4:2026-11-20T12:00:00.004000Z +0\n"
        "plan_change s#line:in_again.il_again +0 keeper > large at invoice\n"
        "\n"
        "large#4 by sub_1: 11-20 12h+4 to 12-04\n"
        "sub_1 large at 11-23 11-23 1h (g3) 11-01 to 12-01 basic=100 large=500\n"
        "sub_2 keeper at 11-01 11-01 1h (g5) 11-01 to 12-01 keeper=200\n"
        "g3 plan 500/500 until 12-04\n"
        "g5 plan 200/200 until 12-04"
    )


def test_a_renewal_with_a_smaller_plan_hands_over_with_its_credits() -> None:
    who = Story.begin(month("one", "large"), of_other(month("two", "keeper")))
    who.pay(of_other(month("three", "keeper", 1)), at=DECEMBER)
    who.hush()

    (brought,) = who.pay(month("four", "basic", 1), at=DECEMBER)

    assert (brought.entry, brought.credits_microcredits) == (who.entries[-1], 100 * ONE)
    assert (brought.grant, brought.concern) == ("g7", TWO_AT_ONCE)
    assert who.tell() == (
        "grant s#line:in_four.il_four.raise +100 g7 plan 100/100 until 2027-01-04\n"
        "reset t#reset:3:2026-12-01T00:00:00.001000Z +0\n"
        "plan_change s#line:in_four.il_four +0 large > keeper at invoice\n"
        "\n"
        "keeper#3 by sub_2: 12-01+1 to 2027-01-04\n"
        "sub_1 basic at 12-01 12-01 1h (g3 g7) 11-01 to 12-01 large=500; "
        "12-01 to 2027-01-01 basic=100\n"
        "sub_2 keeper at 12-01 12-01 1h (g5 g6) 11-01 to 12-01 keeper=200; "
        "12-01 to 2027-01-01 keeper=200\n"
        "g3 plan 500/500 until 12-04\n"
        "g5 plan 200/200 until 12-04\n"
        "g6 plan 200/200 until 2027-01-04\n"
        "g7 plan 100/100 until 2027-01-04"
    )
