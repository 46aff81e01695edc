"""What backends do: they check, charge, give back, and send things twice."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.support.faults import WRITE_FAULTS

from . import judging
from .amounts import micro, plain
from .checking import check_answer
from .customers import Ask, Customer
from .runs import COUNTED, OPERATIONS, RunAsked, runs
from .stack import CALM, Trouble
from .teller import ACCOUNTS, CHECKOUT, HOLDS, Teller

DEDUCT = "POST /v1/deduct"
CHECK = "POST /v1/check"
ESTIMATE = "POST /v1/estimate"
VOID = "POST /v1/accounts/{id}/entries/{key}/void"
REFUND = "POST /v1/accounts/{id}/refunds"
GRANT = "POST /v1/accounts/{id}/grants"
ADJUST = "POST /v1/accounts/{id}/adjustments"

ACCOUNT = st.sampled_from([*[ACCOUNTS[0]] * 5, *ACCOUNTS])
NTH = st.integers(0, 30)
TROUBLED = [
    Trouble(call, fault)
    for call in range(5)
    for fault in (*WRITE_FAULTS, "crash_before", "crash_after")
]
STALE = [Trouble(lag=lag) for lag in (1, 2, 5)]
TROUBLE = st.sampled_from([*[CALM] * 80, *TROUBLED, *STALE * 3])
OPENING: list[dict[str, str]] = [
    *[{}] * 4,
    {"plan": "rolling"},
    {"plan": "capped"},
    {"role": "coach"},
    {"role": "intern"},
]
FACTS: list[dict[str, Any]] = [
    *[{}] * 3,
    {"response_time_ms": 812},
    {"metadata": {"character": "Ada", "pages": 3}},
    {"occurred_at": "2026-11-20T12:00:00Z"},
]


def charges_of(customer: Customer) -> list[str]:
    """The keys of its charges, and of its runs that failed."""
    return [key for key, kept in customer.kept.items() if kept.ask.route == DEDUCT]


def say_otherwise(ask: Ask, nth: int) -> dict[str, Any]:
    """Another body than the request had."""
    body = dict(ask.body or {})
    if ask.route.endswith("/settle"):
        for size in ("usage", "quantity"):
            body.pop(size, None)
        return body | {"amount": f"0.{123456 + nth}"}
    if ask.route.endswith("/extend"):
        return body | {"expires_in_s": 61 + nth}
    name = "service" if ask.route in (DEDUCT, HOLDS) else "reason"
    return body | {name: f"another, {nth}"}


class Calling(Teller):
    """The rules of backends."""

    def charge(self, account: str, body: dict[str, Any], run: RunAsked, trouble: Trouble) -> str:
        """The key under which the run is charged, or refused as the model refuses it."""
        key = self.key()
        self.ask(Ask(DEDUCT, account, run.body | body, key, used=run.used), trouble)
        return key

    @rule(
        account=ACCOUNT,
        run=runs(OPERATIONS),
        opening=st.sampled_from(OPENING),
        facts=st.sampled_from(FACTS),
        success=st.sampled_from([None, None, None, True, False]),
        trouble=TROUBLE,
    )
    def deduct(
        self,
        *,
        account: str,
        run: RunAsked,
        opening: dict[str, str],
        facts: dict[str, Any],
        success: bool | None,
        trouble: Trouble,
    ) -> None:
        """A run is charged, or fails, or is refused."""
        said = {} if success is None else {"success": success}
        self.charge(account, opening | facts | said, run, trouble)

    @rule(account=ACCOUNT, run=runs(COUNTED), times=st.integers(1, 3))
    def deduct_what_is_counted(self, account: str, run: RunAsked, times: int) -> None:
        """Runs that plans count, one after the other, until the plan allows no more."""
        for _ in range(times):
            self.charge(account, {}, run, CALM)

    @rule(
        account=ACCOUNT,
        more=st.sampled_from([-1, 0, 0, 1]),
        is_on_credit=st.booleans(),
        trouble=TROUBLE,
    )
    def spend_all(self, account: str, more: int, is_on_credit: bool, trouble: Trouble) -> None:
        """Everything that is there is spent, or a micro-credit less, or one too many."""
        state = self.customers[account].state(self.now())
        amount = (state.spendable() if is_on_credit else state.available()) + more
        if 0 < amount <= judging.LARGEST:
            run = RunAsked({"operation": "exact", "quantity": plain(amount)}, None)
            self.charge(account, {}, run, trouble)

    @rule(account=ACCOUNT, run=runs(OPERATIONS), opening=st.sampled_from(OPENING))
    def ask_beforehand(self, account: str, run: RunAsked, opening: dict[str, str]) -> None:
        """I18: a check is the judgement of the charge, an estimate its range; neither writes."""
        customer = self.customers[account]
        ask = Ask(CHECK, account, run.body | opening, used=run.used)
        attempt = self.stack.attempt(lambda: self.send(ask))
        check_answer(attempt, judging.judge_check(customer, ask, attempt.ended))
        assert not attempt.written, "I17"
        ask = Ask(ESTIMATE, account, run.body | opening, used=run.used)
        attempt = self.stack.attempt(lambda: self.send(ask))
        told = judging.judge_estimate(customer, ask, attempt.ended)
        check_answer(attempt, told)
        assert not attempt.written, "I17"
        if told.status == 200 and attempt.answer is not None:
            answer = attempt.answer
            assert answer["min"] <= answer["typical"] <= answer["max"], "I18"

    @rule(account=ACCOUNT, nth=NTH, part=st.integers(0, 5), is_void=st.booleans(), trouble=TROUBLE)
    def give_back(self, account: str, nth: int, part: int, is_void: bool, trouble: Trouble) -> None:
        """A charge goes back: whole, in part, or not at all where it did before."""
        charges = charges_of(self.customers[account])
        if charges:
            charge = charges[-1 - nth % len(charges)]
            self.return_charge(account, charge, part, is_void=is_void, trouble=trouble)

    @rule(
        account=ACCOUNT,
        run=runs(COUNTED),
        parts=st.lists(st.integers(0, 4), min_size=1, max_size=2),
        is_void=st.booleans(),
        trouble=TROUBLE,
    )
    def charge_and_give_back(
        self, account: str, run: RunAsked, parts: list[int], is_void: bool, trouble: Trouble
    ) -> None:
        """A run that is charged first fails afterwards; some ask for its credits twice."""
        charge = self.charge(account, {}, run, CALM)
        for part in parts:
            self.return_charge(account, charge, part, is_void=is_void, trouble=trouble)

    def return_charge(
        self, account: str, charge: str, part: int, *, is_void: bool, trouble: Trouble
    ) -> None:
        """The charge goes back: the whole of it, or some quarters."""
        if is_void:
            self.ask(Ask(VOID, account, None, self.key(), entry=charge), trouble)
            return
        body: dict[str, Any] = {"key": charge, "reason": "slow"}
        row = self.customers[account].row(charge)
        amount = 0 if row is None else row.moved * part // 4
        if amount:
            body["amount"] = plain(amount)
        self.ask(Ask(REFUND, account, body, self.key()), trouble)

    @rule(account=ACCOUNT, other=st.sampled_from(ACCOUNTS), nth=NTH, is_void=st.booleans())
    def give_back_what_is_none(self, account: str, other: str, nth: int, is_void: bool) -> None:
        """I20: what is no charge, or another account's, does not come back."""
        keys = ["unheard-of", *[row.key for row in self.customers[other].rows()]]
        charge = keys[nth % len(keys)]
        if is_void:
            self.ask(Ask(VOID, account, {"reason": "none"}, self.key(), entry=charge))
        else:
            self.ask(Ask(REFUND, account, {"key": charge, "reason": "none"}, self.key()))

    # Again, and again otherwise.

    @rule(nth=NTH, trouble=TROUBLE)
    @precondition(lambda self: self.asked)
    def replay(self, nth: int, trouble: Trouble) -> None:
        """I4, I7: a key that was applied answers the same again and moves nothing."""
        ask = self.asked[-1 - nth % len(self.asked)]
        if ask.route == CHECKOUT:
            self.buy(ask, trouble)
            return
        body = None if ask.body is None else dict(ask.body)
        if (ask.route == DEDUCT or ask.route.endswith("/settle")) and body is not None:
            body |= {"metadata": {"try": 2}, "response_time_ms": 9}
        self.ask(Ask(ask.route, ask.account, body, ask.key, ask.entry, ask.used), trouble)

    @rule(nth=NTH, is_other_route=st.booleans(), trouble=TROUBLE)
    @precondition(lambda self: self.asked)
    def say_another_thing(self, nth: int, is_other_route: bool, trouble: Trouble) -> None:
        """I8: another request with a key that was applied is refused and moves nothing."""
        ask = self.asked[-1 - nth % len(self.asked)]
        if is_other_route and ask.key and ask.route != CHECKOUT:
            self.ask(Ask(ADJUST, ask.account, {"amount": 1, "reason": "mine"}, ask.key), trouble)
            return
        body = say_otherwise(ask, nth)
        if ask.route == CHECKOUT:
            body = (ask.body or {}) | {"pack": "tiny" if "big" in str(ask.body) else "big"}
            self.buy(Ask(ask.route, ask.account, body, ask.key), trouble)
            return
        self.ask(Ask(ask.route, ask.account, body, ask.key, ask.entry, ask.used), trouble)

    @rule(nth=NTH, less=st.sampled_from([0, 0, 1]))
    @precondition(lambda self: self.refused)
    def top_up_and_try_again(self, nth: int, less: int) -> None:
        """I18: what was short is exactly what was missing, and what was required is the charge."""
        ask, _ = self.refused[-1 - nth % len(self.refused)]
        again = self.ask(ask)
        shortfall = micro(again["shortfall"]) - less if again.status == 402 else 0
        if shortfall <= 0 or ask.route != DEDUCT:
            return
        body = {"amount": plain(shortfall), "reason": "top up"}
        topped = self.ask(Ask(GRANT, ask.account, body, self.key()))
        answer = self.ask(ask)
        if topped.status == 201 and again["code"] == "insufficient_credits":
            assert answer.status == (402 if less else 200), "I18"
            assert less or answer["charged"] == again["required"], "I18"
