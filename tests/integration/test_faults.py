"""Every write, with something failing at every call it makes: one effect, never two or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.support.driving import Answered, Driver, verify_ledger
from tests.support.faults import READ_FAULTS, WRITE_FAULTS, Crash, FaultyClient
from tests.support.forgetting import forget

ACCOUNT = "user_1"

Send = Callable[[Driver, str, int], Answered]


@dataclass(frozen=True)
class Write:
    """A keyed request, another body under the same key, and one that must be refused.

    Each is sent with a key and a number that tells rounds apart. `row` is the key of its row, and
    `prepare` makes what the `rounds` are about.
    """

    send: Send
    other: Send
    refused: Send
    refusal: str
    row: str = "{key}"
    prepare: Callable[[Driver, int], Answered] | None = None
    rounds: int = 24


def post(route: str, **body: Any) -> Send:
    """A POST to a route of the account; `{n}` in a text becomes the round's number."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        filled = {k: v.format(n=n) if isinstance(v, str) else v for k, v in body.items()}
        path = f"POST /v1/accounts/{{id}}/{route}"
        return driver.call(path, filled, path={"id": ACCOUNT}, key=key)

    return send


def put(route: str, **bodies: list[str]) -> Send:
    """A PUT to a route of the account, whose values take turns from round to round."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        body = {name: values[n % len(values)] for name, values in bodies.items()}
        path = f"PUT /v1/accounts/{{id}}/{route}"
        return driver.call(path, body, path={"id": ACCOUNT}, key=key)

    return send


def step(name: str, hold: str = "held{n}", **body: Any) -> Send:
    """A step of an open hold; with a key where its body says that it is a part."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        has_key = name == "extend" or "final" in body
        return driver.call(
            f"POST /v1/holds/{{hold_id}}/{name}",
            {"account": ACCOUNT, **body},
            path={"hold_id": hold.format(n=n)},
            key=key if has_key else None,
        )

    return send


def hold(amount: object) -> Send:
    """A hold whose id is the key."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        return driver.hold(ACCOUNT, "sms", key, estimate=amount)

    return send


def open_one(driver: Driver, n: int) -> Answered:
    """A hold of two credits; no more are open at once than may be."""
    return (
        driver.hold(ACCOUNT, "sms", f"held{n}", estimate=2) if n < 20 else driver.account(ACCOUNT)
    )


def fund_one(driver: Driver, n: int) -> Answered:
    """A budget of a credit."""
    return post("budgets", budget="team{n}", amount=1)(driver, f"fund{n}", n)


def close(budget: str, **body: Any) -> Send:
    """The end of a budget."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        path = {"id": ACCOUNT, "budget": budget.format(n=n)}
        route = "POST /v1/accounts/{id}/budgets/{budget}/close"
        return driver.call(route, body, path=path, key=key)

    return send


def quarantine_one(driver: Driver, n: int) -> Answered:
    """A charge of a model that nobody has a price for."""
    usage = {"input": 100 + n}
    return driver.deduct(ACCOUNT, "llm", f"unknown{n}", model="our-model-9", usage=usage)


def rerate(reason: str, charge: str = "unknown{n}") -> Send:
    """A correction of such a charge."""

    def send(driver: Driver, key: str, n: int) -> Answered:
        path = {"id": ACCOUNT, "key": charge.format(n=n)}
        route = "POST /v1/accounts/{id}/entries/{key}/rerate"
        return driver.call(route, {"reason": reason}, path=path, key=key)

    return send


def deploy(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "") -> None:
    """The shipped catalog, which quarantines what it does not know, and more."""
    copytree(CATALOG.parent, folder)
    path = folder / CATALOG.name
    text = path.read_text(encoding="utf-8")
    changed = text.replace('unknown_model = "reject"', 'unknown_model = "quarantine"') + more
    assert changed != text + more
    path.write_text(changed, encoding="utf-8")
    monkeypatch.setenv("CATALOG_PATH", str(path))
    forget()


WRITES: dict[str, Write] = {
    "hold": Write(hold(1), hold(2), hold(1000), "insufficient_credits", row="h~{key}~open"),
    "settle": Write(
        step("settle", amount=1),
        step("settle", amount=2),
        step("settle", "nothing{n}", amount=1),
        "not_found",
        row="h~held{n}~settle",
        prepare=open_one,
    ),
    "part": Write(
        step("settle", amount=1, final=False),
        step("settle", amount=2, final=False),
        step("settle", "nothing{n}", amount=1, final=False),
        "not_found",
        prepare=open_one,
    ),
    "release": Write(
        step("release", reason="r"),
        step("release", reason="another"),
        step("release", "nothing{n}"),
        "not_found",
        row="h~held{n}~release",
        prepare=open_one,
    ),
    "extend": Write(
        step("extend", expires_in_s=3600),
        step("extend", expires_in_s=3601),
        step("extend", "nothing{n}", expires_in_s=60),
        "not_found",
        prepare=open_one,
    ),
    "limits": Write(
        put("limits", monthly=["90", "95"]),
        put("limits", monthly=["95", "90"]),
        put("limits", set_by=["operator"]),
        "invalid",
    ),
    "fund": Write(
        post("budgets", budget="team{n}", amount=1),
        post("budgets", budget="team{n}", amount=2),
        post("budgets", budget="team{n}", amount=100000),
        "insufficient_credits",
    ),
    "close a budget": Write(
        close("team{n}"),
        close("team{n}", reason="another"),
        close("nothing{n}"),
        "not_found",
        prepare=fund_one,
    ),
    "deduct": Write(
        lambda d, key, n: d.deduct(ACCOUNT, "sms", key, feature=f"f{n}"),
        lambda d, key, n: d.deduct(ACCOUNT, "sms", key, feature=f"f{n}", quantity=2),
        lambda d, key, n: d.deduct(ACCOUNT, "phone_number", key, quantity=n + 100),
        "insufficient_credits",
    ),
    "void": Write(
        lambda d, key, n: d.void(ACCOUNT, f"seed{n}", key),
        lambda d, key, n: d.void(ACCOUNT, f"seed{n + 1}", key),
        lambda d, key, n: d.void(ACCOUNT, f"nothing{n}", key),
        "not_found",
    ),
    "refund": Write(
        post("refunds", key="seed{n}", amount="0.5", reason="r"),
        post("refunds", key="seed{n}", amount="0.6", reason="r"),
        post("refunds", key="seed{n}", amount="1.5", reason="r"),
        "invalid",
    ),
    "rerate": Write(
        rerate("gpt-9"),
        rerate("another reason"),
        rerate("r", "seed{n}"),
        "not_pending",
        prepare=quarantine_one,
        rounds=40,
    ),
    "grant": Write(
        post("grants", amount=5, reason="round {n}"),
        post("grants", amount=6, reason="round {n}"),
        post("grants", amount=5, reason="r", expires_at="2026-01-01T00:00:00Z"),
        "invalid",
    ),
    "adjustment": Write(
        post("adjustments", amount="-0.001", reason="round {n}"),
        post("adjustments", amount="-0.002", reason="round {n}"),
        post("adjustments", amount=-100000, reason="round {n}"),
        "insufficient_credits",
    ),
    "plan": Write(
        put("plan", plan=["pro", "free"]),
        put("plan", plan=["pro", "free"], at=["period_end"]),
        put("plan", plan=["gold"]),
        "invalid",
    ),
    "profile": Write(
        put("profile", zone=["Europe/Berlin", "Asia/Tokyo"]),
        put("profile", zone=["Asia/Tokyo", "Europe/Berlin"]),
        put("profile", zone=["Mars/Base"]),
        "invalid",
    ),
    "freeze": Write(
        post("freeze", reason="round {n}"),
        post("freeze", reason="another {n}"),
        post("freeze"),
        "invalid",
    ),
}
ROUNDS = 24
MOST_ROUNDS = max(write.rounds for write in WRITES.values())
CATALOG = Path(__file__).parents[2] / "layers/catalog/catalog.toml"
KNOWN = """
[[prices.overrides]]
patterns = ["our-model-9"]
usd_per_million = { input = "0.1", output = "0.1" }
"""


@pytest.fixture
def rounds() -> int:
    """How many rounds are prepared; the one test of many says so."""
    return 4


@pytest.fixture(params=list(WRITES))
def write(
    request: pytest.FixtureRequest,
    *,
    rounds: int,
    driver: Driver,
    faults: FaultyClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Write:
    """A write, on an account with charges that can be given back, or priced anew."""
    if request.param == "rerate":
        deploy(monkeypatch, tmp_path / "first")
    driver.grant(ACCOUNT, 100, key="seed")
    for n in range(min(rounds, ROUNDS)):
        assert driver.deduct(ACCOUNT, "sms", f"seed{n}").status == 200
    found = WRITES[request.param]
    if found.prepare is not None:
        for n in range(min(rounds, found.rounds)):
            assert found.prepare(driver, n).status in (200, 201)
    if request.param == "rerate":
        deploy(monkeypatch, tmp_path / "second", KNOWN)
    faults.forget()
    return found


def state(driver: Driver) -> tuple[Any, Any]:
    """Everything that a command may change."""
    account = dict(driver.account(ACCOUNT).body)
    account.pop("updated_at")
    return account, driver.entries(ACCOUNT)


def effects(driver: Driver, key: str) -> int:
    """How many rows the key has."""
    return [entry["key"] for entry in driver.entries(ACCOUNT)].count(key)


def row_of(write: Write, n: int) -> str:
    """The key of the row of the round's write."""
    return write.row.format(key=f"w{n}", n=n)


def rows_of(write: Write, driver: Driver, n: int) -> int:
    """How many rows the round's write has."""
    return effects(driver, row_of(write, n))


def test_a_refused_write_changes_nothing(write: Write, driver: Driver) -> None:
    before = state(driver)

    answer = write.refused(driver, "w", 0)

    assert answer["code"] == write.refusal
    assert 400 <= answer.status < 500
    assert state(driver) == before


def test_a_replayed_write_has_one_effect_and_one_answer(write: Write, driver: Driver) -> None:
    first = write.send(driver, "w", 0)
    after = state(driver)
    driver.clock.forward(minutes=11)

    again = write.send(driver, "w", 0)

    assert first.status in (200, 201)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert state(driver) == after


def test_another_body_under_the_key_is_refused(write: Write, driver: Driver) -> None:
    write.send(driver, "w", 0)
    after = state(driver)

    answer = write.other(driver, "w", 0)

    assert (answer.status, answer["code"]) == (422, "idempotency_mismatch")
    assert state(driver) == after


def test_a_version_that_moved_after_the_read_loses_no_update(
    write: Write, driver: Driver, faults: FaultyClient
) -> None:
    write.send(driver, "w0", 0)
    faults.forget()
    write.send(driver, "w1", 1)
    last_call = len(faults.calls) - 1
    assert faults.calls[last_call] == "TransactWriteItems"
    faults.forget()
    faults.before[last_call] = lambda: driver.grant(ACCOUNT, 7, key="between") and None

    answer = write.send(driver, "w2", 2)

    assert answer.status in (200, 201)
    assert (effects(driver, "between"), rows_of(write, driver, 2)) == (1, 1)
    verify_ledger(driver, ACCOUNT)


def test_the_first_of_two_equal_requests_wins_and_the_other_replays(
    write: Write, driver: Driver, faults: FaultyClient
) -> None:
    """The same request overtakes itself between the read and the write."""
    overtaking: list[Answered] = []
    write.send(driver, "w0", 0)
    faults.forget()
    write.send(driver, "w1", 1)
    last_call = len(faults.calls) - 1
    faults.forget()
    faults.before[last_call] = lambda: overtaking.append(write.send(driver, "w2", 2))

    answer = write.send(driver, "w2", 2)

    assert answer.body == overtaking[0].body
    assert answer.headers["idempotency-replayed"] == "true"
    assert rows_of(write, driver, 2) == 1
    verify_ledger(driver, ACCOUNT)


@pytest.mark.parametrize("rounds", [MOST_ROUNDS], ids=["all"])
def test_a_fault_at_any_call_ends_in_one_effect_after_a_retry(
    write: Write, driver: Driver, faults: FaultyClient
) -> None:
    tried: list[tuple[int, str]] = []
    faults.forget()
    write.send(driver, "plain", 0)
    names = list(faults.calls)
    for index, name in enumerate(names):
        kinds = READ_FAULTS if name == "GetItem" else WRITE_FAULTS
        for fault in (*kinds, "crash_before", "crash_after"):
            tried.append((index, fault))
            n = len(tried)
            faults.forget()
            faults.plan[index] = fault
            first = send_once(write, driver, f"w{n}", n)
            faults.forget()

            again = write.send(driver, f"w{n}", n)

            assert first in (200, 201, 503, None), (index, fault)
            assert again.status in (200, 201), (index, fault, again.text)
    assert len(tried) < write.rounds
    keys = [entry["key"] for entry in driver.entries(ACCOUNT)]
    for n, where in enumerate(tried, 1):
        assert keys.count(row_of(write, n)) == 1, where
    verify_ledger(driver, ACCOUNT)


def send_once(write: Write, driver: Driver, key: str, n: int) -> int | None:
    """The status of one try; None where the function died."""
    try:
        return write.send(driver, key, n).status
    except Crash:
        return None


def test_contention_without_end_is_503_and_never_402(driver: Driver, faults: FaultyClient) -> None:
    driver.grant(ACCOUNT, 1000, key="seed")
    faults.forget()
    faults.plan.update(dict.fromkeys(range(1, 400), "conflict"))

    answer = driver.deduct(ACCOUNT, "phone_number", "k")

    assert (answer.status, answer["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "1"
    faults.forget()
    assert driver.deduct(ACCOUNT, "phone_number", "k").status == 200


def test_a_refusal_on_a_stale_read_is_judged_again(driver: Driver, faults: FaultyClient) -> None:
    """The first read may be old: a top-up that it does not show must not cost a sale."""
    driver.deduct(ACCOUNT, "sms", "k0")
    faults.forget()
    faults.before[1] = lambda: driver.grant(ACCOUNT, 1000, key="top-up") and None

    answer = driver.deduct(ACCOUNT, "phone_number", "k1")

    assert answer.status == 200


def test_a_deduct_makes_two_calls(driver: Driver, faults: FaultyClient) -> None:
    driver.deduct(ACCOUNT, "sms", "k0")
    faults.forget()

    driver.deduct(ACCOUNT, "sms", "k1")

    assert faults.calls == ["GetItem", "TransactWriteItems"]


def test_a_loser_pauses_and_then_reads_the_account_again(
    driver: Driver, faults: FaultyClient
) -> None:
    """Deciding on what was read before the pause would lose again, and starve it."""
    driver.deduct(ACCOUNT, "sms", "k0")
    read_at: list[datetime] = []
    faults.forget()
    faults.plan[1] = "conflict"
    faults.before[0] = lambda: read_at.append(driver.clock.now())
    faults.before[2] = lambda: read_at.append(driver.clock.now())

    answer = driver.deduct(ACCOUNT, "sms", "k1")

    assert answer.status == 200
    assert faults.calls == ["GetItem", "TransactWriteItems"] * 2
    assert read_at[1] > read_at[0]
