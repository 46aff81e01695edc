"""Asking the handlers and the model the same, and holding every answer against the model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.property.model import Row
from tests.support.driving import Answered
from tests.support.payments import HOME, deliver

from .answering import answer
from .checking import assert_members, assert_rows, check_answer, codes_of
from .customers import Ask, Customer, Told, show_account, show_grants, show_holds, show_plan
from .judging import show_listed
from .pricelist import PriceList
from .sales import Bought, Reported, Sales
from .stack import CALM, CURRENT, Attempt, Stack, Trouble
from .versions import TEXT, TEXTS

ACCOUNTS = ("user_1", "auth0|65f0", "team:7@example.com")
BUDGETS = ("run:1", "run:2")
CALMER = (CALM, CALM)
MANY_MOMENTS = 20
RUN_ROUTES = ("POST /v1/deduct", "POST /v1/check", "POST /v1/estimate")
CHECKOUT = "POST /v1/checkout"
HOLDS = "POST /v1/holds"


class Teller(RuleBasedStateMachine):
    """Three accounts of one stack, and the model beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = Stack()
        CURRENT.append(self.stack)
        self.prices = PriceList(TEXT)
        plans = self.prices.plans()
        self.customers = dict[str, Customer]()
        for name in (*ACCOUNTS, *BUDGETS):
            self.customers[name] = Customer(name, self.prices, plans, family=self.customers)
        self.sales = Sales()
        self.asked: list[Ask] = []
        self.refused: list[tuple[Ask, dict[str, Any]]] = []
        self.events: list[Reported] = []
        self.versions: dict[int, str] = {}
        self.moved: set[str] = set()
        self.spoken: set[str] = set()
        self.keys = 0
        self.steps = 0
        self.text = TEXT

    def teardown(self) -> None:
        """I20: every account is as the model says; nothing of this stack is found by the next."""
        self.check_accounts(set(self.customers))
        CURRENT.remove(self.stack)

    # What every rule uses.

    def key(self) -> str:
        """A key nobody used."""
        self.keys += 1
        return f"k{self.keys}"

    def now(self) -> int:
        """The clock."""
        return self.stack.now()

    def send(self, ask: Ask) -> Answered:
        """The request, as an app sends it."""
        self.spoken.add(ask.account)
        body, path = ask.body, {"id": ask.account}
        if ask.route in (*RUN_ROUTES, CHECKOUT) or ask.route.startswith(HOLDS):
            body, path = {"account": ask.account, **(ask.body or {})}, {}
        if ask.entry:
            path[path_name(ask.route)] = ask.entry
        return self.stack.driver.call(ask.route, body, path=path, key=ask.key or None)

    def ask(self, ask: Ask, trouble: Trouble = CALM) -> Answered:
        """The request is repeated until it is answered, and the answer is the model's."""
        customer = self.customers[ask.account]
        for struck in (trouble, *CALMER):
            attempt = self.stack.attempt(lambda: self.send(ask), struck)
            key, at = self._find_effect(attempt, ask)
            if is_unanswered(attempt):
                if key:
                    assert answer(customer, ask, at, key).has_effect, "I6, I17"
                self._check_writes(attempt, customer, has_effect=bool(key))
                continue
            told = answer(customer, ask, at, key or ask.named() or ask.key)
            self._note(ask, told, attempt)
            check_answer(attempt, told)
            assert bool(key) == told.has_effect, "no effect without a row, no row without effect"
            self._check_writes(attempt, customer, has_effect=told.has_effect)
            self._keep(ask, attempt.answer)
            assert attempt.answer is not None
            return attempt.answer
        raise AssertionError("a request ends when faults have stopped")

    def _find_effect(self, attempt: Attempt, ask: Ask) -> tuple[str, int]:
        """The key of the row that the request wrote and when; else when it ended."""
        rows = [
            (read_key(sk), at)
            for at, (pk, sk), _, _ in attempt.puts()
            if pk == f"A#{ask.account}" and read_key(sk)
        ]
        assert len(rows) <= 1, "I4"
        return rows[0] if rows else ("", attempt.ended)

    def _note(self, ask: Ask, told: Told, attempt: Attempt) -> None:
        """The request can be sent again later."""
        assert attempt.answer is not None
        if told.status < 300 and (ask.named() or ask.key) and not told.is_replay:
            self.asked.append(ask)
        if told.status == 402:
            self.refused.append((ask, attempt.answer.body))

    def _keep(self, ask: Ask, answer: Answered | None) -> None:
        """I7: all successful answers for a key are equal."""
        kept = self.customers[ask.account].kept.get(ask.named() or ask.key)
        if kept is None or answer is None or answer.status >= 300:
            return
        if kept.answered is None:
            kept.answered = answer.body
        assert kept.answered == answer.body, "I7"
        if "price_version" in answer.body and "idempotency-replayed" not in answer.headers:
            terms = self.customers[ask.account].terms.get(ask.entry)
            text = self.text if terms is None else terms.prices.text
            self._check_version(answer.body["price_version"], text)

    def _check_version(self, version: str, text: str) -> None:
        """I18: what is charged now is charged at the version in force, or at that of its hold."""
        known = self.versions.setdefault(TEXTS.index(text), version)
        assert known == version and list(self.versions.values()).count(version) == 1, "I18"

    def _check_writes(self, attempt: Attempt, customer: Customer, *, has_effect: bool) -> None:
        """Only what the answer says was written, to this account alone, and nothing over a row."""
        written: list[str] = []
        for _, (pk, sk), old, new in attempt.puts():
            child = self.budget_of(pk)
            is_theirs = child is not None and child.parent == customer.id and has_effect
            others = ("V#", "L#", "S#", "Q#")
            assert pk == f"A#{customer.id}" or is_theirs or pk[:2] in others, "I20"
            if pk[:2] == "V#":
                continue
            if pk[:2] == "Q#":
                assert has_effect and new["account"]["S"] == customer.id, "I20"
                continue
            if is_theirs and child is not None:
                self.moved.add(child.id)
                self.spoken.add(child.id)
            else:
                written.append(sk)
            if sk[:2] in ("E#", "D#", "B#"):
                assert old is None, "I21"
            if sk == "A":
                before = 0 if old is None else int(old["v"]["N"])
                assert int(new["v"]["N"]) == before + 1, "an account is written over its last one"
        if has_effect:
            self.moved.add(customer.id)
        elif written:
            self._check_slices(attempt, customer, written)

    def budget_of(self, pk: str) -> Customer | None:
        """The budget whose item that is, where it is one's."""
        name = pk.removeprefix("A#")
        return self.customers[name] if name in BUDGETS else None

    def _check_slices(self, attempt: Attempt, customer: Customer, written: list[str]) -> None:
        """A refusal leaves nothing but time, and that only where very much of it passed."""
        assert all(is_of_time(sk) for sk in written), written
        assert len(written) > MANY_MOMENTS, written
        last = [new for _, (_, sk), _, new in attempt.puts() if sk == "A"][-1]
        customer.happen(int(last["ro"]["N"]), "touch")
        customer.unwritten = len(customer.rows()) - int(last["q"]["N"])
        assert 0 <= customer.unwritten <= len(written), customer.unwritten
        self.moved.add(customer.id)

    # Money.

    def buy(self, ask: Ask, trouble: Trouble = CALM) -> None:
        """A checkout, repeated until it is answered."""
        customer = self.customers[ask.account]
        found = self.sales.find(ask)
        was_open = found is not None and found.is_open
        for struck in (trouble, *CALMER):
            attempt = self.stack.attempt(lambda: self.send(ask), struck)
            self._follow_checkout(attempt, customer, ask)
            if is_unanswered(attempt):
                found = self.sales.find(ask)
                was_open = found is not None and found.is_open
                continue
            told = self.sales.judge_checkout(customer, ask, attempt.ended, was_open=was_open)
            check_answer(attempt, told)
            if told.status < 300 and ask not in self.asked:
                self.asked.append(ask)
            return
        raise AssertionError("a checkout ends when faults have stopped")

    def _follow_checkout(self, attempt: Attempt, customer: Customer, ask: Ask) -> None:
        for at, (pk, sk), old, new in attempt.puts():
            if sk.startswith("P#"):
                assert pk == f"A#{ask.account}", "I20"
                if old is None:
                    self.sales.record(customer, ask, sk.removeprefix("P#"), at)
                self.sales.bought[sk.removeprefix("P#")].is_open = "checkout_url" in new
            else:
                assert pk[:2] == "L#" and old is None, (pk, sk)

    def tell(self, event: Reported, trouble: Trouble = CALM) -> None:
        """An event of Stripe's is delivered until it is answered."""
        for struck in (trouble, *CALMER):
            attempt = self.stack.attempt(lambda: deliver(self.stack.driver, event.sent), struck)
            seen = [at for at, (pk, _), _, _ in attempt.puts() if pk == f"S#{event.id}"]
            at = seen[0] if seen else attempt.ended
            bought = self.sales.bought.get(event.purchase)
            self._check_event_writes(attempt, bought)
            if is_unanswered(attempt) and attempt.was_struck:
                if seen:
                    assert self.sales.judge_event(event, at).has_effect
                continue
            told = self.sales.judge_event(event, at)
            if told.has_effect and attempt.was_struck and is_duplicate(attempt):
                # DynamoDB's own answer was lost, and the effect was found when it was tried again.
                told = replace(told, body={"received": True, "outcome": "duplicate"})
            check_answer(attempt, told)
            assert bool(seen) == told.has_effect, "I12"
            return
        raise AssertionError("an event ends when faults have stopped")

    def _check_event_writes(self, attempt: Attempt, bought: Bought | None) -> None:
        theirs = None if bought is None else f"A#{bought.customer.id}"
        for _, (pk, sk), old, _ in attempt.puts():
            if bought is None:
                assert pk[:2] in ("S#", "X#", "QM"), "what is not ours is a case at most"
            assert pk == theirs or pk[:2] in ("S#", "L#", "X#", "QM"), "I20"
            assert old is None or sk == "A" or sk[:2] == "P#", "I21"
            if sk == "A" and bought is not None:
                self.moved.add(bought.customer.id)
                self.spoken.add(bought.customer.id)

    def make_checkout(self, account: str, pack: str, key: str) -> Ask:
        """A customer goes to pay."""
        urls = {"success_url": f"{HOME}/paid", "cancel_url": f"{HOME}/packs"}
        return Ask(CHECKOUT, account, {"pack": pack, **urls}, key)

    # What must hold after every step.

    @invariant()
    def the_account_is_as_the_model_says(self) -> None:
        """Of the account that was spoken of; now and then of those that nobody spoke of, too."""
        self.steps += 1
        self.check_accounts(self.spoken if self.steps % 6 else set(self.customers))
        self.spoken.clear()

    def check_accounts(self, names: set[str]) -> None:
        """Balance, grants, plan, windows, features and totals are what the model works out."""
        for customer in [self.customers[name] for name in sorted(names)]:
            state = customer.state(self.now())
            shown = self.stack.driver.account(customer.id)
            here = [grant for grant in shown["grants"] if grant["remaining"]]
            grants = sorted(here, key=lambda grant: int(grant["id"][1:]))
            found = shown.body | {"warnings": codes_of(shown["warnings"])}
            assert_members(found, show_account(customer, state))
            assert_members(shown["plan"], show_plan(state))
            expected = sorted(show_grants(state), key=lambda grant: int(grant["id"][1:]))
            assert grants == expected, "I1"
            holds = sorted(shown.body.get("holds", []), key=lambda hold: hold["hold_id"])
            assert holds == show_holds(state), "I9"
            assert state.is_balanced(), "the model's own books"

    @invariant()
    def the_history_explains_it(self) -> None:
        """I1, I2, I10, I11, I17: rows are those of the model, numbered, and add up."""
        for name in sorted(self.moved):
            customer = self.customers[name]
            numbered = enumerate(customer.rows(), 1)
            expected = [show_listed(customer, row, n) for n, row in numbered]
            assert_rows(self.stack.driver.entries(name), expected)
            rows, said = customer.rows(), self.stack.alerts(name)
            found, told = gather(rows, said), gather(rows, [row.alerts for row in rows])
            assert found == told, f"I16: {found} {told}"
        self.moved.clear()


def path_name(route: str) -> str:
    """What the second thing is that a path names."""
    if route.startswith(HOLDS):
        return "hold_id"
    return "budget" if "{budget}" in route else "key"


def read_key(sk: str) -> str:
    """The key of a row, where it is a request's and not time's."""
    if sk.startswith("E#h#") and not sk.endswith("#expire"):
        return sk.removeprefix("E#").replace("#", "~")
    return sk.removeprefix("E#c#") if sk.startswith("E#c#") else ""


def is_of_time(sk: str) -> bool:
    """Time alone writes such a thing."""
    is_expiry = sk.startswith("E#h#") and sk.endswith("#expire")
    return sk == "A" or sk.startswith(("E#t#", "D#")) or is_expiry


def gather(rows: list[Row], alerts: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """What was told when: which of one command's rows tells it does not matter."""
    return sorted((row.at, each) for row, told in zip(rows, alerts, strict=True) for each in told)


def is_unanswered(attempt: Attempt) -> bool:
    """The caller does not know what became of the request: that takes a fault, and 503 says so."""
    answer = attempt.answer
    if answer is not None and answer.status < 500:
        return False
    assert answer is None or answer.status == 503, answer
    return True


def is_duplicate(attempt: Attempt) -> bool:
    """The event's effect was there when it was looked for."""
    return attempt.answer is not None and attempt.answer.body.get("outcome") == "duplicate"
