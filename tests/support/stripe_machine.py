"""Stripe's SDK in front of the simulated Stripe, in one process: calls can be lost or cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from local.stripe import api, checkout, customers
from local.stripe.payments import settle_bank
from local.stripe.state import CUSTOMER, PAYMENT_INTENT, SESSION, Object, StripeState
from tests.support.driving import FakeClock
from tests.support.faults import Crash
from tollkeeper.edge import stripe_cards, stripe_gateway, stripe_lists, stripe_refunds

KEY = "sk_test_machine"
LOST_BEFORE, LOST_AFTER = "lost_before", "lost_after"
CRASH_BEFORE, CRASH_AFTER = "crash_before", "crash_after"
SERVER_ERROR = "server_error"
FAULTS = (LOST_BEFORE, LOST_AFTER, CRASH_BEFORE, CRASH_AFTER, SERVER_ERROR)


@dataclass
class Machine:
    """A Stripe account and the line to it.

    `calls` counts from 0; `plan` says what happens at a call; `before` is run ahead of one.
    """

    clock: FakeClock
    state: StripeState = field(default_factory=StripeState)
    calls: list[str] = field(default_factory=list[str])
    plan: dict[int, str] = field(default_factory=dict[int, str])
    before: dict[int, Callable[[], object]] = field(default_factory=dict[int, Callable[[], object]])

    @property
    def now(self) -> int:
        """The moment. Units: seconds since 1970."""
        return int(self.clock.now().timestamp())

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> api.Reply:
        """The API's answer, or the fault that is planned for this call."""
        index = len(self.calls)
        split = urlsplit(url)
        self.calls.append(f"{method.upper()} {split.path}")
        if index in self.before:
            self.before.pop(index)()
        fault = self.plan.get(index, "")
        if fault == SERVER_ERROR:
            return 500, {}, b'{"error": {"type": "api_error", "message": "Sorry."}}'
        if fault.endswith("_before"):
            _raise(fault)
        target = f"{split.path}?{split.query}" if split.query else split.path
        sent = body.encode() if isinstance(body, str) else body or b""
        reply = api.respond(
            self.state, self.now, method=method.upper(), target=target, headers=headers, body=sent
        )
        _raise(fault)
        return reply

    def customer(self, card: str = "good") -> Object:
        """A customer who saved that card as the default one."""
        made = customers.create_customer(self.state, self.now)
        self.save_card(made, card)
        self.state.events.clear()
        return made

    def save_card(self, customer: Object, card: str) -> Object:
        """The card is saved, and pays by default from now on."""
        method = customers.new_payment_method(self.state, self.now, card=card)
        customers.attach(self.state, method, customer, self.now)
        customer["invoice_settings"]["default_payment_method"] = method["id"]
        return method

    def pays(self, session: str, card: str = "good") -> bool:
        """The customer pays on the page."""
        return checkout.pay_session(
            self.state, self.state.find(SESSION, session), self.now, card=card
        )

    def settle_bank(self, *, is_paid: bool) -> None:
        """The bank has answered for the last payment."""
        (*_, intent) = self.intents()
        settle_bank(self.state, intent, self.now, is_paid=is_paid)

    def intents(self) -> list[Object]:
        """Every payment, oldest first."""
        return list(self.state.all_of(PAYMENT_INTENT).values())

    def taken_minor(self) -> int:
        """All the money that customers paid. Units: the currency's smallest unit."""
        return sum(each["amount_received"] for each in self.intents())

    def events(self, *types: str) -> list[Object]:
        """The events so far, of these types or all; they are taken out."""
        found = [each for each in self.state.events if not types or each["type"] in types]
        self.state.events = [each for each in self.state.events if each not in found]
        return found


def _raise(fault: str) -> None:
    if fault.startswith("crash"):
        raise Crash
    if fault:
        raise stripe.APIConnectionError("The line is dead.")


class MachineClient(stripe.HTTPClient):
    """The SDK's line to the machine."""

    name = "machine"

    def __init__(self, machine: Machine) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._machine = machine

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: Any = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """The machine's answer as the SDK reads it."""
        status, sent, body = self._machine.ask(method, url, headers or {}, post_data)
        return body.decode(), status, sent

    def close(self) -> None:
        """Nothing is kept open."""


def plug_in(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    """The gateways' SDK speaks to the machine from now on."""
    client = stripe.StripeClient(KEY, http_client=MachineClient(machine), max_network_retries=0)

    def of_machine(_key: str, _url: str | None) -> stripe.StripeClient:
        return client

    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setattr(stripe_cards, "sdk_client", of_machine)
    monkeypatch.setattr(stripe_gateway, "sdk_client", of_machine)
    monkeypatch.setattr(stripe_lists, "sdk_client", of_machine)
    monkeypatch.setattr(stripe_refunds, "sdk_client", of_machine)


def find_customer(machine: Machine) -> Object:
    """The only customer there is."""
    (found,) = machine.state.all_of(CUSTOMER).values()
    return found


def as_json(event: Object) -> str:
    """The event's body."""
    return json.dumps(event)
