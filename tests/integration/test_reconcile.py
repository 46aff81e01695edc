"""Reconcile, through the real handlers: what was missed is healed once, what differs is told."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stripe_orders.making import NEW, SHAPES, Maker
from tests.support.driving import Answered, Driver, FakeContext, load, verify_ledger
from tests.support.listing import FakeLists
from tests.support.payments import FakeStripe, available, buy, deliver, report, state_of
from tollkeeper.service.reconciling import CHANGES_FOR, Kind

ROUTE = "POST /v1/reconcile"
DAY = timedelta(days=1)


def ask(driver: Driver, *, cursor: str | None = None, **span: datetime) -> Answered:
    """What a request for the last day answers."""
    now = driver.clock.now()
    since, until = span.get("since", now - DAY), span.get("until", now + DAY)
    body = {"from": _show(since), "to": _show(until)} | ({"cursor": cursor} if cursor else {})
    return driver.call(ROUTE, body)


def _show(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def sold(stripe: FakeStripe, purchase: str) -> dict[str, Any]:
    """The purchase as the maker of Stripe's objects needs it."""
    made = stripe.sessions[purchase]
    return {
        "purchase_id": purchase,
        "account": made["metadata"]["account"],
        "price_minor": made["amount_subtotal"],
        "currency": made["currency"],
    }


def session_of(driver: Driver, stripe: FakeStripe, purchase: str, **changes: Any) -> dict[str, Any]:
    """The purchase's payment page as Stripe lists it, paid."""
    made = {"created": int(driver.clock.now().timestamp()), "status": "complete"}
    return stripe.sessions[purchase] | made | {"payment_status": "paid"} | changes


def charge_of(
    driver: Driver, stripe: FakeStripe, purchase: str, *, refunded: int = 0, shape: str = NEW
) -> dict[str, Any]:
    """The purchase's charge as Stripe lists it."""
    maker = Maker(shape, at=int(driver.clock.now().timestamp()))
    made = stripe.sessions[purchase]
    return maker.charge(
        made["payment_intent"], 5000, refunded=refunded, metadata=dict(made["metadata"])
    )


def counts(answer: Answered, kind: Kind) -> tuple[int, int, int, int]:
    """Seen, fine, healed and quarantined of the kind."""
    found = answer["counts"][kind.value]
    return found["seen"], found["fine"], found["healed"], found["quarantined"]


# --------------------------------------------------------------------------------------- healing


def test_s3_19_a_payment_that_no_webhook_told_of_is_healed_once(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    lists.add(Kind.SESSIONS, session_of(driver, stripe, bought))

    first, second = ask(driver), ask(driver)

    assert counts(first, Kind.SESSIONS) == (1, 0, 1, 0)
    (healed,) = first["healed"]
    assert (healed["what"], healed["purchase"], healed["account"]) == ("granted", bought, "user_1")
    assert counts(second, Kind.SESSIONS) == (1, 1, 0, 0)
    assert (first["differs"], second["differs"], second["healed"]) == ([], [], [])
    assert (available(driver), state_of(driver, bought)["status"]) == (515, "paid")
    verify_ledger(driver, "user_1")


def test_what_the_webhook_told_is_fine_and_the_other_way_round(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    other = buy(driver, key="b2")["purchase_id"]
    deliver(driver, report(driver, stripe, bought))
    lists.add(Kind.SESSIONS, session_of(driver, stripe, bought))
    lists.add(Kind.SESSIONS, session_of(driver, stripe, other))

    answer = ask(driver)
    late = deliver(driver, report(driver, stripe, other))

    assert counts(answer, Kind.SESSIONS) == (2, 1, 1, 0)
    assert late["outcome"] == "duplicate"
    assert available(driver) == 1015
    verify_ledger(driver, "user_1")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_refund_of_an_old_charge_is_healed_by_its_own_date(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str, shape: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    old = charge_of(driver, stripe, bought, refunded=2000, shape=shape)
    driver.clock.forward(days=200)
    before = available(driver)
    now = int(driver.clock.now().timestamp())
    refund = {"id": "re_1", "object": "refund", "created": now, "amount": 2000, "charge": old}
    lists.add(Kind.REFUNDS, refund)
    lists.add(Kind.CHARGES, old)

    answer, again = ask(driver), ask(driver)

    assert counts(answer, Kind.CHARGES) == (0, 0, 0, 0), "the charge is not of that day"
    assert counts(answer, Kind.REFUNDS) == (1, 0, 1, 0)
    assert counts(again, Kind.REFUNDS) == (1, 1, 0, 0)
    assert available(driver) == before - 200
    assert state_of(driver, bought)["status"] == "partially_refunded"


def test_a_dispute_that_was_won_months_after_it_began_is_healed(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    maker = Maker(at=int(driver.clock.now().timestamp()), numbers=itertools.count(1000))
    intent = stripe.sessions[bought]["payment_intent"]
    dispute = maker.dispute(intent, 5000, status="needs_response")
    deliver(driver, maker.event("charge.dispute.created", dispute))
    driver.clock.forward(days=100)
    taken = available(driver)
    lists.add(Kind.DISPUTES, dispute | {"status": "won"})

    answer = ask(driver)

    assert counts(answer, Kind.DISPUTES) == (1, 0, 1, 0)
    assert available(driver) == taken + 500
    assert state_of(driver, bought)["status"] == "paid"


def test_a_bank_debit_that_was_paid_weeks_after_its_page_is_healed(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought, payment_status="unpaid"))
    session = session_of(driver, stripe, bought)
    driver.clock.forward(days=14)
    lists.add(Kind.SESSIONS, session)

    assert counts(ask(driver), Kind.SESSIONS) == (1, 0, 1, 0)
    assert state_of(driver, bought)["status"] == "paid"


def test_money_of_others_is_seen_and_left_alone(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    session = session_of(driver, stripe, bought)
    other: dict[str, Any] = {"metadata": {}, "client_reference_id": "order_7"}
    foreign = {**session, **other, "id": "cs_live_other"}
    charge = {**charge_of(driver, stripe, bought), **other, "id": "ch_other"}
    lists.add(Kind.SESSIONS, foreign)
    lists.add(Kind.CHARGES, charge | {"payment_intent": "pi_other"})

    answer = ask(driver)

    assert counts(answer, Kind.SESSIONS) == (1, 1, 0, 0)
    assert counts(answer, Kind.CHARGES) == (1, 1, 0, 0)
    assert (answer["healed"], answer["differs"], available(driver)) == ([], [], 15)


# --------------------------------------------------------------------------------- what differs


def test_other_money_than_was_asked_for_waits_for_a_person(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    lists.add(Kind.SESSIONS, session_of(driver, stripe, bought, amount_subtotal=1))

    answer = ask(driver)

    assert counts(answer, Kind.SESSIONS) == (1, 0, 0, 1)
    (told,) = answer["differs"]
    assert (told["what"], told["purchase"]) == ("quarantined", bought)
    assert "the amount is 1" in told["reason"]
    assert available(driver) == 15
    again = ask(driver)
    assert (counts(again, Kind.SESSIONS), again["differs"]) == ((1, 0, 0, 1), [])


def test_a_payment_whose_purchase_is_gone_is_told(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    lost = "pur_" + "0" * 32
    session = session_of(driver, stripe, bought) | {"id": "cs_test_lost"}
    session |= {"metadata": {"purchase_id": lost}, "client_reference_id": lost}
    driver.clock.forward(hours=2)
    lists.add(Kind.SESSIONS, session)

    answer = ask(driver)

    assert [each["what"] for each in answer["differs"]] == ["quarantined", "paid_at_stripe_only"]
    assert {each["id"] for each in answer["differs"]} == {"cs_test_lost"}
    assert ask(driver)["differs"] == [], "the case is there, and a person knows"


def test_a_purchase_that_stripe_did_not_take_money_for_is_told(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    deliver(driver, report(driver, stripe, bought))
    session = session_of(driver, stripe, bought, payment_status="unpaid", status="expired")
    driver.clock.forward(hours=1)
    lists.add(Kind.SESSIONS, session)

    answer = ask(driver)

    (told,) = answer["differs"]
    assert (told["what"], told["account"]) == ("paid_here_only", "user_1")
    assert state_of(driver, bought)["status"] == "paid", "only a person takes credits away for it"


def test_what_cannot_be_read_stops_nothing_and_is_told(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    session = session_of(driver, stripe, bought)
    broken = session | {"id": "cs_test_broken", "amount_subtotal": "5000"}
    lists.add(Kind.SESSIONS, broken, session)

    answer = ask(driver)

    assert counts(answer, Kind.SESSIONS) == (2, 0, 1, 0)
    assert [(t["id"], t["what"]) for t in answer["differs"]] == [("cs_test_broken", "unreadable")]


# ---------------------------------------------------------------------------- ranges and cursors


def test_each_kind_is_listed_from_when_on_it_can_still_change(
    driver: Driver, lists: FakeLists
) -> None:
    asked: list[tuple[Kind, datetime]] = []
    own = lists.read_page

    def read_page(kind: Kind, *, since: datetime, until: datetime, after: str) -> Any:
        asked.append((kind, since))
        return own(kind, since=since, until=until, after=after)

    lists.read_page = read_page  # type: ignore[method-assign]
    since = driver.clock.now() - DAY

    answer = ask(driver, since=since)

    assert answer["is_finished"] is True
    assert asked == [(kind, since - CHANGES_FOR[kind]) for kind in Kind]


def test_a_long_range_goes_on_with_its_cursor_until_everything_was_seen_once(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    session = session_of(driver, stripe, bought)
    nobodys: dict[str, Any] = {"metadata": {}, "client_reference_id": None}
    others = [{**session, **nobodys, "id": f"cs_{n}"} for n in range(4)]
    lists.add(Kind.SESSIONS, *others, session)
    lists.add(Kind.CHARGES, charge_of(driver, stripe, bought))
    lists.page = 2
    lists.before_each = lambda: driver.clock.forward(seconds=7)
    until = driver.clock.now() + DAY
    seen, answers, cursor = 0, 0, None
    while True:
        answer = ask(driver, cursor=cursor, since=until - 2 * DAY, until=until)
        seen += sum(each["seen"] for each in answer["counts"].values())
        answers, cursor = answers + 1, answer["next_cursor"]
        assert answer["is_finished"] is (cursor is None)
        if cursor is None:
            break

    assert (seen, answers) == (6, 5)
    assert available(driver) == 515
    assert len(lists.calls) == len(set(lists.calls)), "no page was read twice"


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "2026-11-19T00:00:00Z"},
        {"to": "2026-11-20T00:00:00Z"},
        {"cursor": "nothing_listed"},
        {"cursor": "charges:"},
    ],
)
def test_what_is_no_range_is_refused(
    driver: Driver, lists: FakeLists, changes: dict[str, str]
) -> None:
    body = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"} | changes

    answer = driver.call(ROUTE, body)

    assert (answer.status, answer["code"]) == (422, "invalid")
    assert not lists.calls


def test_stripe_that_does_not_list_is_said_so(driver: Driver, lists: FakeLists) -> None:
    lists.refusals = {0}

    answer = ask(driver)

    assert (answer.status, answer["code"]) == (503, "payments_unavailable")


# ------------------------------------------------------------------------------------ schedules


def run(**event: Any) -> dict[str, Any]:
    """What the schedule's event is answered."""
    answer: dict[str, Any] = load("reconcile").handler(event, FakeContext(remaining_ms=900_000))
    return answer


def test_a_schedule_heals_what_was_made_within_its_hours(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    lists.add(Kind.SESSIONS, session_of(driver, stripe, bought))

    early = run(hours=3)
    driver.clock.forward(hours=2)
    facts = run(hours=3)
    driver.clock.forward(hours=2)
    late = run(hours=3)

    assert (early["seen"], late["seen"]) == (0, 0), "the webhook has its turn first"
    assert facts == {"seen": 1, "healed": 1, "differs": 0, "is_finished": True}
    assert available(driver) == 515


def test_the_daily_schedule_looks_back_at_what_was_made_earlier(
    driver: Driver, stripe: FakeStripe, lists: FakeLists, bought: str
) -> None:
    lists.add(Kind.SESSIONS, session_of(driver, stripe, bought))
    driver.clock.forward(days=20)

    assert run(hours=72)["seen"] == 0
    assert run(hours=72, looks_back=True)["healed"] == 1


def test_a_stack_that_sells_nothing_asks_nobody(driver: Driver, lists: FakeLists) -> None:
    lists.is_ready = False

    assert run(hours=3) == {"seen": 0, "healed": 0, "differs": 0, "is_finished": True}
    assert (lists.calls, driver.requests) == ([], 0)


def test_a_run_without_time_says_that_something_is_left(driver: Driver, lists: FakeLists) -> None:
    answer = load("reconcile").handler({"hours": 3}, FakeContext(remaining_ms=1_000))

    assert answer["is_finished"] is False
    assert not lists.calls
    assert driver.requests == 0
