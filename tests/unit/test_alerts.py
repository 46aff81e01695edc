"""When alerts ring that no scenario of an account's life comes to by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, ONE, a_grant, an_account
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
