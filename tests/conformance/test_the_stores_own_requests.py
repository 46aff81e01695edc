"""What the handlers really send is answered alike by every engine."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulation.store import SimStore
from tests.conformance.comparing import Answer
from tests.conformance.engines import (
    Outcome,
    ask,
    by_key,
    empty_table,
    outcome_of,
    scan,
    shown,
)
from tests.integration.conftest import TABLE, table_of_template
from tests.integration.test_sweep import sweep
from tests.support.driving import Driver, FakeClock, FakeContext, load
from tests.support.forgetting import forget
from tests.support.money_back import REFUNDED, charge_of, event_about
from tests.support.payments import FakeStripe, buy, deliver
from tollkeeper.edge import wiring
from tollkeeper.edge.pages import show_place


class Recorder:
    """Passes requests on to SimStore, and keeps them with their answers."""

    def __init__(self, store: SimStore) -> None:
        self.store = store
        self.seen: list[tuple[str, dict[str, Any], Answer]] = []

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        return self._pass("get_item", request)

    def query(self, **request: Any) -> dict[str, Any]:
        """One page."""
        return self._pass("query", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none."""
        return self._pass("transact_write_items", request)

    def _pass(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.store, operation)(**request)
        except ClientError as error:
            self.seen.append((operation, request, shown(outcome_of(error))))
            raise
        self.seen.append((operation, request, shown(Outcome("", "", answer))))
        return answer


@pytest.fixture
def recorder(store: SimStore, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The client under the handlers."""
    client = Recorder(store)
    monkeypatch.setattr(wiring, "connect", lambda: client)
    forget()
    return client


def live(driver: Driver, clock: FakeClock, stripe: FakeStripe) -> None:
    """Some weeks of a few accounts: charges, gifts, a purchase, periods, and what reads them."""
    for account in ("user_1", "user_2"):
        for number in range(4):
            assert driver.deduct(account, "sms", f"c-{number}").status == 200
            clock.forward(minutes=7)
        assert driver.deduct(account, "sms", "c-0").status == 200
        assert driver.void(account, "c-1", "v-1").status == 200
        assert driver.void(account, "c-1", "v-2").status in (200, 409)
        assert driver.grant(account, "12.5").status == 201
    purchase = buy(driver)["purchase_id"]
    paid = stripe.report(purchase, at=clock.now())
    for _ in range(2):
        assert deliver(driver, paid).status == 200
    move_money(driver, stripe, purchase, clock)
    assert sweep()["rolled"] == 0
    clock.forward(days=2)
    read_reports(driver, clock)
    clock.forward(days=31)
    sweep()
    assert driver.check("user_1", "sms").status == 200
    assert driver.stats("user_1").status == 200
    assert driver.account("user_2").status == 200
    assert len(driver.entries("user_1")) > 8
    route = "GET /v1/accounts/{id}/entries"
    assert driver.call(route, path={"id": "user_2"}, query={"limit": "2"}).body["next_cursor"]
    for place in ((0, ""), (5, "001795176000000#user_1#c#k")):
        assert driver.call("GET /v1/quarantine", query={"cursor": show_place(*place)}).status == 200


def read_reports(driver: Driver, clock: FakeClock) -> None:
    """The accounts' days are folded, and what is read of them and of the accounts."""
    sweep()
    for _ in range(2):
        load("report").handler({}, FakeContext(remaining_ms=900_000))
        clock.forward(minutes=11)
    assert driver.call("GET /v1/reports/usage")["totals"]["calls"] > 0
    assert driver.call("GET /v1/reports/customers", query={"limit": "1"})["others"]["calls"] > 0
    page = driver.call("GET /v1/accounts", query={"prefix": "user_", "limit": "1"})
    rest = driver.call("GET /v1/accounts", query={"cursor": page["next_cursor"]})
    assert [row["account"] for row in rest["accounts"]] == ["user_2"]


def move_money(driver: Driver, stripe: FakeStripe, purchase: str, clock: FakeClock) -> None:
    """News of money that goes back, before and after it is known whose it is, and a case."""
    back = event_about(driver, REFUNDED, charge_of(purchase, 1000))
    strange = charge_of(purchase, 5000, id="ch_9", payment_intent="pi_9", metadata={})
    for event in (back, back, event_about(driver, REFUNDED, strange)):
        assert deliver(driver, event).status == 200
    second = stripe.report(purchase, at=clock.now(), id="cs_2", payment_intent="pi_9")
    assert deliver(driver, second)["outcome"] == "quarantined"
    (case,) = driver.call("GET /v1/quarantine/payments")["cases"]
    body = {"action": "grant", "credits": 1, "reason": "r"}
    release = "POST /v1/quarantine/payments/{case}/release"
    for key in ("r-1", "r-1", "r-2"):
        driver.call(release, body, path={"case": case["case"]}, key=key)
    purchases = "GET /v1/accounts/{id}/purchases"
    page = driver.call(purchases, path={"id": "user_1"}, query={"limit": "1"})
    rest = driver.call(purchases, path={"id": "user_1"}, query={"cursor": page["next_cursor"]})
    assert len(rest["purchases"]) == 1


def test_the_handlers_requests_are_answered_alike(
    engine: tuple[str, Any],
    driver: Driver,
    recorder: Recorder,
    clock: FakeClock,
    stripe: FakeStripe,
) -> None:
    name, client = engine
    live(driver, clock, stripe)
    asked = {operation for operation, _, _ in recorder.seen}
    indexes = {request.get("IndexName") for _, request, _ in recorder.seen}
    codes = {answer[0] for _, _, answer in recorder.seen}
    assert asked == {"get_item", "query", "transact_write_items"}
    assert indexes == {None, "history", "due", "lists"}
    assert codes == {"", "TransactionCanceledException"}

    empty_table(client, table_of_template())
    for operation, request, ours in recorder.seen:
        code, theirs = shown(ask(client, operation, request))
        if name == "moto" and "LastEvaluatedKey" not in theirs:
            ours[1].pop("LastEvaluatedKey", None)
        assert (code, theirs) == ours, request

    assert scan(client, TABLE) == by_key(recorder.store.items())
