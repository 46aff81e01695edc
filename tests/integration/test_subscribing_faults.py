"""Invoices and ends of subscriptions on a bad day: faults at every call, and two at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.support.driving import Driver, verify_ledger
from tests.support.faults import READ_FAULTS, Crash, FaultyClient
from tests.support.payments import deliver
from tests.support.subscribing import ended, invoice, plan_of, use_plans

# Calls of a first invoice: its link, of its subscription, customer and payment, then the account,
# the transaction, and who pays.
MOST_CALLS = 14


@pytest.fixture(autouse=True)
def catalog(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The shipped catalog with two plans that are paid at Stripe, and an account."""
    use_plans(monkeypatch, tmp_path)
    driver.grant("user_1", 1)


def until_taken(driver: Driver, event: dict[str, Any]) -> None:
    """Stripe sends the event until it is answered 200."""
    for _ in range(5):
        answer = deliver(driver, event)
        if answer.status == 200:
            return
        assert answer.status == 503, answer.text
    raise AssertionError("an event that is sent again must end")


def fail_at_each_call(
    driver: Driver, faults: FaultyClient, event: Callable[[int], dict[str, Any]], fault: str
) -> int:
    """How many calls a delivery made; each failed once, and the event was sent again."""
    for call in range(MOST_CALLS):
        faults.forget()
        faults.plan = {call: fault}
        one = event(call)
        deliver(driver, one)
        reached = len(faults.calls)
        faults.forget()
        until_taken(driver, one)
        if reached <= call:
            return call
    return MOST_CALLS


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_fault_at_any_call_of_an_invoice_is_healed_by_its_next_delivery(
    driver: Driver, faults: FaultyClient, fault: str
) -> None:
    months = fail_at_each_call(driver, faults, lambda n: invoice(driver, f"m{n}", month=n), fault)

    assert months > 6
    assert plan_of(driver) == ("studio", "stripe", 501)
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("fault", ["lost_after", "conflict", "crash_after", "crash_before"])
def test_a_write_of_an_invoice_that_is_lost_or_cut_off_happens_once(
    driver: Driver, faults: FaultyClient, fault: str
) -> None:
    event = invoice(driver, "first")
    call = first_write(driver, faults, invoice(driver, "before", month=-2))
    faults.plan = {call: fault}

    with suppress(Crash):
        deliver(driver, event)
    faults.forget()
    until_taken(driver, event)

    assert plan_of(driver) == ("studio", "stripe", 501)
    rows = [e for e in driver.entries("user_1") if e["key"] == "s~line:in_first.il_first"]
    assert len(rows) == 1
    verify_ledger(driver, "user_1")


def first_write(driver: Driver, faults: FaultyClient, event: dict[str, Any]) -> int:
    """The place of the first write among the calls that the event makes."""
    faults.forget()
    deliver(driver, event)
    call = faults.calls.index("TransactWriteItems")
    faults.forget()
    return call


def test_the_same_invoice_twice_at_once_begins_one_period(
    driver: Driver, faults: FaultyClient
) -> None:
    call = first_write(driver, faults, invoice(driver, "before", month=-2))
    event = invoice(driver, "first")
    others: list[Any] = []
    faults.before = {call: lambda: others.append(deliver(driver, event))}

    mine = deliver(driver, event)

    assert {mine["outcome"], others[0]["outcome"]} == {"granted", "duplicate"}
    assert plan_of(driver) == ("studio", "stripe", 501)
    verify_ledger(driver, "user_1")


def test_the_end_and_an_invoice_at_once_leave_no_plan_that_is_not_paid(
    driver: Driver, faults: FaultyClient
) -> None:
    call = first_write(driver, faults, invoice(driver, "before", month=-2))
    faults.before = {call: lambda: deliver(driver, ended(driver))}

    mine = deliver(driver, invoice(driver, "first"))

    assert mine["outcome"] == "remembered"
    assert plan_of(driver) == ("free", "calendar", 16)
    verify_ledger(driver, "user_1")


def test_an_invoice_and_the_end_at_once_leave_no_plan_that_is_not_paid(
    driver: Driver, faults: FaultyClient
) -> None:
    deliver(driver, invoice(driver, "before"))
    driver.clock.moment += timedelta(days=1)
    others: list[Any] = []
    again = invoice(driver, "second", month=1)
    faults.forget()
    # Why: its link and its account are read before its transaction.
    faults.before = {2: lambda: others.append(deliver(driver, again))}

    mine = deliver(driver, ended(driver))

    assert (mine["outcome"], others[0]["outcome"]) == ("ended", "granted")
    assert plan_of(driver) == ("free", "calendar", 16)
    verify_ledger(driver, "user_1")
