"""From a shortage to the same call that passes; and what of a card is ever here: nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from local.stripe.state import PAYMENT_METHOD, SESSION
from tests.support.driving import Driver
from tests.support.dumping import dump_table
from tests.support.payments import HOME, deliver_raw
from tests.support.stripe_machine import Machine
from tests.support.subscribing import use_plans
from tests.support.top_ups import ask, put

pytestmark = pytest.mark.moto

CARD_NUMBER = re.compile(r"(?<![0-9a-fA-F-])[0-9]{13,19}(?![0-9a-fA-F-])")
CARD_WORDS = re.compile(r'"(cvc|exp_month|exp_year|card_number|number|last4|fingerprint)"')


@pytest.fixture(autouse=True)
def catalog(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Plans that are paid at Stripe, beside the others."""
    assert driver, "the table is made first"
    use_plans(monkeypatch, tmp_path)


def pay(driver: Driver, machine: Machine, key: str, **what: Any) -> None:
    """The customer pays on Stripe's page, and Stripe tells of it."""
    urls = {"success_url": f"{HOME}/paid", "cancel_url": f"{HOME}/packs"}
    opened = driver.call("POST /v1/checkout", {"account": "user_1", **what, **urls}, key=key)
    assert opened.status == 201, opened.text
    assert machine.pays(list(machine.state.all_of(SESSION))[-1])
    tell(driver, machine)


def tell(driver: Driver, machine: Machine) -> None:
    """Stripe tells all that it has to tell."""
    for event in machine.events():
        assert deliver_raw(driver, json.dumps(event)).status == 200


def test_s0_18_a_402_says_which_plan_would_do_and_once_it_is_paid_the_same_call_passes(
    driver: Driver, machine: Machine
) -> None:
    run = {"account": "user_1", "operation": "sms", "quantity": 450}
    refused = driver.call("POST /v1/check", run)
    (plan,) = refused["plans"]

    pay(driver, machine, "b1", plan=plan["plan"])

    assert (refused.status, refused["shortfall"]) == (402, 435)
    assert driver.call("POST /v1/check", run).status == 200


def test_s2_16_a_402_says_which_pack_covers_it_and_once_it_is_paid_the_same_call_passes(
    driver: Driver, machine: Machine
) -> None:
    run = {"account": "user_1", "operation": "sms", "quantity": 100}
    refused = driver.call("POST /v1/deduct", run, key="run_1")

    pay(driver, machine, "b1", pack=refused["offers"][0]["pack"])

    assert refused.status == 402
    assert driver.call("POST /v1/deduct", run, key="run_1").status == 200


def test_s3_14_nothing_of_a_card_is_ever_here(
    driver: Driver, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    pay(driver, machine, "b1", pack="starter", save_card=True)
    assert put(driver, below=200).status == 200
    assert ask()["outcome"] == "paid"
    tell(driver, machine)

    (method,) = machine.state.all_of(PAYMENT_METHOD).values()
    said = json.dumps([list(each.values()) for each in dump_table().values()])
    logged = "".join(capfd.readouterr())
    assert method["id"] in said, "a saved card is known by Stripe's name for it alone"
    assert method["card"]["last4"]
    assert not CARD_WORDS.search(said + logged)
    assert not [n for n in CARD_NUMBER.findall(said + logged) if is_card_number(n)]


def test_s3_14_no_request_takes_a_card(driver: Driver) -> None:
    urls = {"success_url": f"{HOME}/paid", "cancel_url": f"{HOME}/packs"}
    card = {"number": "4242424242424242", "cvc": "123"}

    answer = driver.call(
        "POST /v1/checkout", {"account": "user_1", "pack": "pro", "card": card, **urls}, key="b1"
    )

    assert answer.status == 422
    assert "4242" not in answer.text
    assert dump_table() == {}


def is_card_number(digits: str) -> bool:
    """The number has a card's check digit and begins as one: no moment or amount of ours does."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0 and digits[0] in "3456"
