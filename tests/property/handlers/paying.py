"""What customers and Stripe do: checkouts, and events in any order, twice, late and wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.support.payments import state_of

from .calling import ACCOUNT, NTH, TROUBLE
from .checking import assert_members
from .sales import COMPLETED, EXPIRED, FAILED, HOUR_MS, SUCCEEDED, Bought, Reported
from .stack import Trouble
from .teller import Teller

PACKS = ["tiny", "week", "big", "unheard-of"]
AWAY = st.sampled_from([Trouble(gateway="refuses"), Trouble(gateway="lost")])
BUYING = st.one_of(*[TROUBLE] * 9, AWAY)
TYPES = [COMPLETED, COMPLETED, SUCCEEDED, FAILED, EXPIRED]
# What may be wrong with money, and what is not: tax and discounts change only the total.
RIGHT: list[dict[str, Any]] = [{}, {}, {}, {"amount_total": 999}]
WRONG: list[dict[str, Any]] = [
    {"amount_subtotal": 1},
    {"currency": "eur"},
    {"id": "cs_test_another"},
    {"livemode": True},
]
STRANGE = "pur_" + "0" * 32


class Paying(Teller):
    """The rules of money."""

    @rule(account=ACCOUNT, pack=st.sampled_from(PACKS), trouble=BUYING)
    def check_out(self, account: str, pack: str, trouble: Trouble) -> None:
        """A purchase is recorded and its page opens, once for its key."""
        self.buy(self.make_checkout(account, pack, self.key()), trouble)

    @rule(
        account=ACCOUNT,
        pack=st.sampled_from(PACKS[:-1]),
        types=st.permutations([COMPLETED, SUCCEEDED, EXPIRED]),
        count=st.integers(1, 3),
        first=st.sampled_from([*[{}] * 4, *WRONG]),
        trouble=TROUBLE,
    )
    def buy_and_pay(
        self,
        *,
        account: str,
        pack: str,
        types: list[str],
        count: int,
        first: dict[str, Any],
        trouble: Trouble,
    ) -> None:
        """I13: a pack is paid for, and Stripe tells of it in whatever order, wrongly at first."""
        ask = self.make_checkout(account, pack, self.key())
        self.buy(ask)
        bought = self.sales.find(ask)
        if bought is None:
            return
        for number, type_ in enumerate(types[:count]):
            changes = {} if number else first
            self.tell(self.make_event(bought, type_, changes, is_paid=True), trouble)

    def open_ones(self) -> list[Bought]:
        """The purchases whose page was opened."""
        return [each for each in self.sales.bought.values() if each.is_open]

    @rule(
        nth=NTH,
        type_=st.sampled_from(TYPES),
        changes=st.sampled_from([*RIGHT * 3, *WRONG]),
        is_paid=st.sampled_from([True, True, False]),
        trouble=TROUBLE,
    )
    @precondition(lambda self: self.sales.bought)
    def report(
        self, nth: int, type_: str, changes: dict[str, Any], is_paid: bool, trouble: Trouble
    ) -> None:
        """Stripe says what became of a payment: I12, I13."""
        bought = self.open_ones()
        if not bought:
            return
        which = bought[-1 - nth % len(bought)]
        self.tell(self.make_event(which, type_, changes, is_paid=is_paid), trouble)

    def make_event(
        self, bought: Bought, type_: str, changes: dict[str, Any], *, is_paid: bool
    ) -> Reported:
        """An event about the purchase, made now."""
        sent: dict[str, Any] = dict(changes)
        is_done = type_ == COMPLETED
        if is_done:
            sent["payment_status"] = "paid" if is_paid else "unpaid"
        made = self.stack.stripe.report(bought.id, type_, at=self.stack.clock.moment, **sent)
        event = Reported(
            id=made["id"],
            type=type_,
            purchase=bought.id,
            is_right=changes not in WRONG,
            is_paid=is_paid or not is_done,
            created=self.now() // 1000 * 1000,
            sent=made,
        )
        self.events.append(event)
        return event

    @rule(nth=NTH, trouble=TROUBLE)
    @precondition(lambda self: self.events)
    def report_again(self, nth: int, trouble: Trouble) -> None:
        """An event comes again, at once or weeks later, and has no second effect."""
        self.tell(self.events[-1 - nth % len(self.events)], trouble)

    @rule(type_=st.sampled_from(TYPES), minutes=st.sampled_from([0, 59, 61, 6000]), nth=NTH)
    def report_another_stack(self, type_: str, minutes: int, nth: int) -> None:
        """An event about a purchase that this stack never recorded changes nothing."""
        if nth % 4:
            return
        session = {
            "id": "cs_test_0",
            "metadata": {"purchase_id": STRANGE},
            "payment_status": "paid",
        }
        self.stack.stripe.events += 1
        created = self.now() // 1000 * 1000 - minutes * HOUR_MS // 60
        sent: dict[str, Any] = {
            "id": f"evt_other_{self.stack.stripe.events}",
            "object": "event",
            "created": created // 1000,
            "data": {"object": session},
            "livemode": False,
            "type": type_,
        }
        self.tell(Reported(sent["id"], type_, "", True, type_ != FAILED, created, sent))

    def teardown(self) -> None:
        """I12: a purchase that is paid brought its credits once, and no other brought any."""
        for which in self.sales.bought.values():
            assert_members(state_of(self.stack.driver, which.id).body, which.show())
            row = which.customer.row(f"s~purchase:{which.id}")
            assert (row is not None) == (which.status == "paid"), "I12"
        super().teardown()
