"""Top-ups through the real functions, with Stripe's SDK in front of a simulated Stripe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local.stripe import disputes
from tests.support.driving import Driver, FakeClock, verify_ledger
from tests.support.dumping import put_raw
from tests.support.stripe_machine import Machine
from tests.support.top_ups import (
    ACCOUNT,
    ask,
    available,
    heal,
    packs,
    put,
    seen,
    stand,
    tell,
)
from tollkeeper.domain.entries import AccountId
from tollkeeper.edge import wiring
from tollkeeper.service.payers import note_dispute, save_payer
from tollkeeper.store.billing import billing_key

pytestmark = pytest.mark.moto


def test_an_account_that_runs_low_buys_its_pack_at_once(ready: Driver, machine: Machine) -> None:
    assert ask()["outcome"] == "paid"

    assert (available(ready), packs(ready)) == (515, 1)
    (intent,) = machine.intents()
    assert (intent["amount"], intent["currency"], intent["status"]) == (5000, "usd", "succeeded")
    view = seen(ready)
    assert (view["purchases"], view["spent"], view["pending"]) == (1, "50.00", None)
    assert view["hindrance"] == "enough"
    verify_ledger(ready, ACCOUNT)


def test_a_second_event_and_the_webhooks_own_news_buy_nothing_more(
    ready: Driver, machine: Machine
) -> None:
    ask()

    assert ask()["outcome"] == "enough"
    assert set(tell(ready, machine)) <= {"duplicate", "ignored", "linked"}

    assert (available(ready), packs(ready), machine.taken_minor()) == (515, 1, 5000)


def test_an_account_without_a_rule_costs_one_read(driver: Driver, machine: Machine) -> None:
    assert ask("user_9")["outcome"] == "no_rule"
    assert machine.calls == []


def test_a_refusal_asks_for_a_top_up_too(ready: Driver) -> None:
    assert ask(type_="spend.refused")["outcome"] == "paid"


def test_a_customer_without_a_card_is_not_charged(driver: Driver, machine: Machine) -> None:
    customer = machine.customer()
    customer["invoice_settings"]["default_payment_method"] = None
    machine.state.all_of("payment_method").clear()
    put(driver)
    save_payer(wiring.world(), AccountId(ACCOUNT), customer["id"])

    assert ask()["outcome"] == "no_card"
    assert seen(driver)["hindrance"] == "no_card"
    assert machine.intents() == [] and seen(driver)["pending"] is None


def test_without_a_default_the_card_that_was_saved_last_pays(
    driver: Driver, machine: Machine
) -> None:
    stand(driver, machine, "declined")
    (customer,) = machine.state.all_of("customer").values()
    machine.save_card(customer, "good")
    customer["invoice_settings"]["default_payment_method"] = None

    assert ask()["outcome"] == "paid"


def test_a_declined_card_is_a_failure_and_nothing_is_tried_for_an_hour(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "declined")

    assert ask()["outcome"] == "failed"
    clock.forward(minutes=59)
    assert ask()["outcome"] == "cooling"
    assert heal()["looked"] == 0
    clock.forward(minutes=1)
    assert heal()["looked"] == 1

    assert len(machine.intents()) == 2 and machine.taken_minor() == 0
    view = seen(driver)
    assert (view["failures"], view["failure"], view["purchases"]) == (2, "card_declined", 0)


def test_after_three_failures_in_a_row_it_is_off_and_the_app_is_told(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "declined")
    for hours in (0, 1, 6):
        clock.forward(hours=hours)
        ask()

    view = seen(driver)
    assert (view["is_active"], view["off_reason"]) == (False, "failures")
    assert ask()["outcome"] == "off"
    row = driver.entries(ACCOUNT)[-1]
    assert (row["kind"], row["key"].split(":")[0]) == ("top_up", "s~top_up_off")
    clock.forward(days=30)
    assert heal()["looked"] == 0 and len(machine.intents()) == 3
    verify_ledger(driver, ACCOUNT)


def test_setting_the_rule_again_turns_it_on_with_the_card_of_today(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "declined")
    for hours in (0, 1, 6):
        clock.forward(hours=hours)
        ask()
    (customer,) = machine.state.all_of("customer").values()
    machine.save_card(customer, "good")

    assert put(driver).status == 200
    clock.forward(minutes=1)

    assert heal()["looked"] == 1
    assert (available(driver), seen(driver)["failures"]) == (515, 0)


def test_the_months_purchases_are_bounded_and_begin_anew_with_the_next(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    for number in range(3):
        assert ask()["outcome"] == "paid"
        ready.deduct(ACCOUNT, "sms", f"k{number}", quantity=available(ready) - 1)
        clock.forward(minutes=2)

    assert ask()["outcome"] == "most_purchases"
    clock.forward(days=11)
    assert heal()["looked"] == 1

    assert packs(ready) == 4


def test_the_months_money_is_bounded(driver: Driver, machine: Machine, clock: FakeClock) -> None:
    stand(driver, machine, "good", monthly_cap="99.99")
    ask()
    driver.deduct(ACCOUNT, "sms", "k", quantity=500)
    clock.forward(minutes=2)

    assert ask()["outcome"] == "most_money"
    assert machine.taken_minor() == 5000


def test_a_disputed_payment_stops_the_card_until_it_is_won(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    note_dispute(wiring.world(), AccountId(ACCOUNT), "pur_9", is_disputed=True)
    assert ask()["outcome"] == "disputed"

    note_dispute(wiring.world(), AccountId(ACCOUNT), "pur_9", is_disputed=False)
    assert ask()["outcome"] == "paid"
    assert machine.taken_minor() == 5000


def test_stripes_own_news_of_a_dispute_stops_the_card_and_its_end_frees_it(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "disputed")
    assert ask()["outcome"] == "paid"
    tell(driver, machine)
    clock.forward(hours=1)

    view = seen(driver)
    assert (view["is_disputed"], view["hindrance"]) == (True, "disputed")
    assert ask()["outcome"] == "disputed" and available(driver) == 15
    (dispute,) = machine.state.all_of("dispute").values()
    disputes.win(machine.state, dispute, machine.now)
    tell(driver, machine)

    assert (seen(driver)["is_disputed"], available(driver)) == (False, 515)
    assert machine.taken_minor() == 5000


def test_an_operator_lets_a_card_be_charged_after_a_dispute_that_was_lost(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "disputed")
    assert ask()["outcome"] == "paid"
    tell(driver, machine)
    (dispute,) = machine.state.all_of("dispute").values()
    disputes.lose(machine.state, dispute, machine.now)
    clock.forward(hours=1)
    tell(driver, machine)
    assert ask()["outcome"] == "disputed"
    rule = {"pack": "pro", "below": 20, "disputes": "cleared"}

    buyer = replace(driver, scopes=frozenset({"purchase"}))
    refused = buyer.call("PUT /v1/accounts/{id}/top-up", rule, path={"id": ACCOUNT})
    cleared = driver.call("PUT /v1/accounts/{id}/top-up", rule, path={"id": ACCOUNT})

    assert (refused.status, cleared.status) == (403, 200)
    assert seen(driver)["is_disputed"] is False
    tell(driver, machine)
    assert seen(driver)["is_disputed"] is False, "what is told again changes nothing"
    assert ask()["outcome"] == "paid"


@pytest.mark.parametrize("standing", ["freeze", "close"])
def test_an_account_that_cannot_spend_is_not_topped_up(
    ready: Driver, machine: Machine, standing: str
) -> None:
    route = f"POST /v1/accounts/{{id}}/{standing}"
    ready.call(route, {"reason": "r"}, path={"id": ACCOUNT}, key="s1")

    assert ask()["outcome"] == "not_active" and machine.intents() == []


def test_an_account_that_cannot_be_looked_at_stops_nobody_else(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    for number in range(6):
        stand(ready, machine, "good", f"user_b{number}")
    broken = billing_key(AccountId("user_b3"))
    item = wiring.ledger().read_item(broken)
    assert item is not None
    put_raw({**item, "state": {"S": "not JSON"}})

    healed = heal()

    assert (healed["looked"], healed["busy"], healed["broken"]) == (6, 0, 1)
    assert (packs(ready, "user_b5"), packs(ready, "user_b3")) == (1, 0)
