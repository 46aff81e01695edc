"""Top-ups whose bank wants the customer, takes days, or says nothing at all."""

from __future__ import annotations

import pytest

from tests.support.driving import Driver, FakeClock
from tests.support.stripe_machine import LOST_AFTER, LOST_BEFORE, SERVER_ERROR, Machine
from tests.support.top_ups import (
    ACCOUNT,
    ask,
    available,
    drain,
    heal,
    packs,
    seen,
    stand,
    tell,
)

# The bank wants the customer.


def test_a_bank_that_wants_the_customer_gets_a_page_and_the_app_its_url(
    driver: Driver, machine: Machine
) -> None:
    stand(driver, machine, "authenticates")

    assert ask()["outcome"] == "needs_customer"

    pending = seen(driver)["pending"]
    (session,) = machine.state.all_of("checkout.session").values()
    assert pending["status"] == "pending" and session["id"] in pending["action_url"]
    row = driver.entries(ACCOUNT)[-1]
    assert (row["kind"], row["key"]) == ("top_up", f"s~top_up_action:{pending['purchase_id']}")
    (intent,) = [each for each in machine.intents() if each["status"] != "canceled"] or [None]
    assert intent is None or intent["id"] == session["payment_intent"]


def test_the_customer_confirms_on_the_page_and_has_the_credits_once(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "authenticates")
    ask()
    tell(driver, machine)
    (session,) = machine.state.all_of("checkout.session")

    assert machine.pays(session, "good")
    tell(driver, machine)

    assert (available(driver), packs(driver), machine.taken_minor()) == (515, 1, 5000)
    assert (seen(driver)["pending"], seen(driver)["failures"]) == (None, 0)
    drain(driver, machine, clock)
    assert machine.taken_minor() == 5000


def test_a_page_whose_news_is_lost_is_looked_at(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "authenticates")
    ask()
    (session,) = machine.state.all_of("checkout.session")
    machine.pays(session, "good")
    machine.state.events.clear()

    clock.forward(minutes=3)
    heal()

    assert (available(driver), packs(driver)) == (515, 1)
    assert seen(driver)["pending"] is None


def test_a_page_that_nobody_opens_ends_as_a_failure(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "authenticates")
    ask()

    for _ in range(30):
        clock.forward(hours=1)
        heal()

    view = seen(driver)
    assert view["failures"] >= 1 and machine.taken_minor() == 0


def test_a_try_on_the_page_that_fails_is_not_the_end_of_it(
    driver: Driver, machine: Machine
) -> None:
    stand(driver, machine, "authenticates")
    ask()
    (session,) = machine.state.all_of("checkout.session")

    assert not machine.pays(session, "declined")
    tell(driver, machine)
    assert seen(driver)["failures"] == 0
    assert machine.pays(session, "good")
    tell(driver, machine)

    assert packs(driver) == 1


# Nobody answers.


def test_a_bank_that_takes_days_is_waited_for(
    driver: Driver, machine: Machine, clock: FakeClock
) -> None:
    stand(driver, machine, "good")
    (customer,) = machine.state.all_of("customer").values()
    machine.save_card(customer, "bank")

    assert ask()["outcome"] == "pending"
    clock.forward(days=3)
    heal()
    assert packs(driver) == 0 and ask()["outcome"] == "pending"
    machine.settle_bank(is_paid=True)
    tell(driver, machine)

    assert (packs(driver), seen(driver)["pending"]) == (1, None)


def test_a_bank_that_does_not_pay_is_a_failure(driver: Driver, machine: Machine) -> None:
    stand(driver, machine, "good")
    (customer,) = machine.state.all_of("customer").values()
    machine.save_card(customer, "bank")
    ask()

    machine.settle_bank(is_paid=False)
    tell(driver, machine)

    assert (packs(driver), seen(driver)["failures"]) == (0, 1)


@pytest.mark.parametrize("fault", [LOST_BEFORE, LOST_AFTER, SERVER_ERROR])
def test_an_answer_that_is_lost_is_asked_for_again_and_charges_once(
    ready: Driver, machine: Machine, clock: FakeClock, fault: str
) -> None:
    machine.plan[1] = fault

    assert ask()["outcome"] == "no_answer"
    assert ask()["outcome"] == "pending", "its own function may still be at it"
    drain(ready, machine, clock)

    assert (packs(ready), machine.taken_minor()) == (1, 5000)


def test_after_a_day_a_lost_answer_is_looked_up_and_not_asked_for_again(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    machine.plan[1] = LOST_AFTER
    ask()
    machine.state.events.clear()

    clock.forward(hours=24)
    heal()
    assert machine.calls[-1].startswith("GET") or len(machine.intents()) == 1
    clock.forward(hours=30)
    heal()

    assert (packs(ready), machine.taken_minor()) == (1, 5000)
    assert len(machine.intents()) == 1


def test_what_never_reached_stripe_is_a_failure_after_a_day_and_no_second_charge(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    machine.plan[1] = LOST_BEFORE
    ask()

    clock.forward(hours=26)
    heal()

    view = seen(ready)
    assert (view["failures"], view["failure"]) == (1, "never_reached_stripe")
    assert machine.intents() == []


def test_what_stripe_says_nothing_of_is_asked_for_at_growing_intervals(
    ready: Driver, machine: Machine, clock: FakeClock
) -> None:
    machine.plan.update(dict.fromkeys(range(1, 200), LOST_BEFORE))
    ask()

    looks: list[int] = []
    for _ in range(50):
        clock.forward(minutes=30)
        looks.append(heal()["looked"] + heal()["looked"])

    assert 4 <= sum(looks) <= 12
    assert sum(looks[:10]) > sum(looks[10:20])
