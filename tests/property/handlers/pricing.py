"""What operators do about charges whose model nobody knew: they look, and price them anew."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from .amounts import credits
from .calling import ACCOUNT, DEDUCT, NTH, TROUBLE, VOID
from .customers import Ask, Customer
from .passing import Passing
from .runs import UNHEARD, RunAsked, unknown_runs
from .stack import CALM, Trouble
from .teller import ACCOUNTS

RERATE = "POST /v1/accounts/{id}/entries/{key}/rerate"
QUARANTINE = "GET /v1/quarantine"


def waiting(customer: Customer) -> list[str]:
    """The keys of its charges that wait for their price."""
    state = customer.stored()
    if state is None:
        return []
    rows = [row for row in customer.rows() if row.kind in ("charge", "settle")]
    return [
        row.key
        for row in rows
        if row.run is not None
        and customer.runs[row.run].is_pending
        and not state.runs[row.run].returned
    ]


class Pricing(Passing):
    """The rules of new prices."""

    def rerate(self, account: str, charge: str, trouble: Trouble) -> None:
        """The charge is priced anew, or refused as the model refuses it."""
        body = {"reason": "known now"}
        self.ask(Ask(RERATE, account, body, self.key(), entry=charge), trouble)

    @rule(account=ACCOUNT, run=unknown_runs(), nth=NTH, trouble=TROUBLE)
    def charge_an_unknown_model(
        self, account: str, run: RunAsked, nth: int, trouble: Trouble
    ) -> None:
        """It is charged as the dearest; sooner or later somebody knows it."""
        key = self.key()
        self.ask(Ask(DEDUCT, account, run.body, key, used=run.used), CALM)
        if nth % 3 == 0:
            self.deploy_version(is_dearer=run.body["model"] == UNHEARD[0])
        if nth % 2 == 0:
            self.rerate(account, key, trouble)

    @rule(account=ACCOUNT, nth=NTH, times=st.integers(1, 2), trouble=TROUBLE)
    def price_anew(self, account: str, nth: int, times: int, trouble: Trouble) -> None:
        """A charge that waits, mostly; some ask twice."""
        customer = self.customers[account]
        found = waiting(customer) if nth % 3 else [row.key for row in customer.rows()]
        for _ in range(times if found else 0):
            self.rerate(account, found[nth % len(found)], trouble)

    @rule(account=ACCOUNT, other=st.sampled_from(ACCOUNTS), nth=NTH)
    def price_anew_and_back(self, account: str, other: str, nth: int) -> None:
        """A new price and a void of one charge exclude each other; another's is not found."""
        for charge in waiting(self.customers[account])[: 1 + nth % 2]:
            if other != account:
                self.rerate(other, charge, CALM)
            steps = ["rerate", "void"] if nth % 3 else ["void", "rerate"]
            for step in steps:
                if step == "rerate":
                    self.rerate(account, charge, CALM)
                else:
                    self.ask(Ask(VOID, account, None, self.key(), entry=charge))

    @rule(limit=st.sampled_from([1, 3, 50]))
    def read_quarantine(self, limit: int) -> None:
        """What waits is listed, each once, and nothing else."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
            page = self.stack.driver.call(QUARANTINE, query=query)
            assert len(page["charges"]) <= limit
            found += page["charges"]
            cursor = page["next_cursor"]
        told = [
            (customer.id, key, credits(row.moved))
            for customer in self.customers.values()
            for key in waiting(customer)
            if (row := customer.row(key)) is not None
        ]
        assert sorted((e["account"], e["key"], e["charged"]) for e in found) == sorted(told)
