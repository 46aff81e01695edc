"""When alerts ring that no scenario of an account's life comes to by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_grant, a_run, an_account, charged, granted
from tollkeeper.domain.account import Account, OwnLimits, Rung, Status
from tollkeeper.domain.alerts import ring
from tollkeeper.domain.catalog import Limits

LOW = replace(CATALOG, low_balance_microcredits=5 * ONE)
EMPTIED = replace(an_account(), grants=(), rung=Rung(is_low=False))


def test_an_account_that_is_emptied_is_low_and_one_that_is_closed_rings_nothing() -> None:
    closed = replace(EMPTIED, status=Status.CLOSED)

    assert ring(EMPTIED, LOW)[1] == ("low_balance",)
    assert ring(closed, LOW) == (closed, ())


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.FROZEN])
def test_every_other_account_rings(status: Status) -> None:
    assert ring(replace(EMPTIED, status=status), LOW)[1] == ("low_balance",)


def test_neither_windows_nor_a_recovery_ring_for_a_closed_account() -> None:
    def spent(status: Status) -> Account:
        account = replace(an_account(), grants=(a_grant(1, 100 * ONE),), status=status)
        limits = replace(OwnLimits(), operator=Limits(day=10 * ONE))
        windows = replace(account.windows, day=10 * ONE)
        return replace(account, limits=limits, windows=windows, rung=Rung(is_low=True))

    assert set(ring(spent(Status.ACTIVE), LOW)[1]) >= {"low_balance:recovered", "day:100"}
    assert ring(spent(Status.CLOSED), LOW)[1] == ()


TOPPED_UP = replace(an_account(), top_up_below_microcredits=20 * ONE, rung=Rung(is_low=False))


def test_each_row_that_lowers_a_balance_below_where_a_top_up_is_wanted_asks_for_one() -> None:
    assert ring(TOPPED_UP, CATALOG, is_lower=True)[1] == ("top_up",)
    assert ring(TOPPED_UP, CATALOG)[1] == ()


@pytest.mark.parametrize("status", [Status.FROZEN, Status.CLOSED])
def test_no_top_up_is_asked_for_an_account_that_may_not_spend(status: Status) -> None:
    account = replace(TOPPED_UP, status=status)

    assert ring(account, CATALOG, is_lower=True)[1] == ()


def test_a_top_up_is_wanted_below_its_mark_and_not_at_it() -> None:
    at_the_mark = replace(TOPPED_UP, top_up_below_microcredits=10 * ONE)

    assert ring(at_the_mark, CATALOG, is_lower=True)[1] == ()
    above = replace(TOPPED_UP, top_up_below_microcredits=10 * ONE + 1)
    assert ring(above, CATALOG, is_lower=True)[1] == ("top_up",)


def test_held_credits_are_not_there_for_a_top_up_and_other_alerts_come_before_it() -> None:
    account = replace(TOPPED_UP, grants=(a_grant(1, 4),), top_up_below_microcredits=5 * ONE)

    assert ring(account, LOW, is_lower=True)[1] == ("low_balance", "top_up")


def test_a_charge_rings_for_a_top_up_and_a_grant_does_not() -> None:
    account, entry = charged(TOPPED_UP, a_run("call"))
    assert entry.alerts == ("top_up",)

    _, entry = granted(account, 1)
    assert entry.alerts == ()


def test_a_row_that_takes_nothing_asks_for_no_top_up() -> None:
    _, entry = charged(TOPPED_UP, a_run("own"))

    assert (entry.delta_microcredits, entry.alerts) == (0, ())
