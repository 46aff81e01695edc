"""Ledgers on a table in memory, and decisions to write there, each said in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

from local.template import read_template, table_definition
from simulation.store import SimStore
from tests.unit.building import ACCOUNT, CATALOG, NOON, a_key, a_run, draft_of
from tollkeeper.domain.account import Account
from tollkeeper.domain.charges import Charge, GiveBack, decide_charge, decide_give_back
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import AccountId, EntryKind
from tollkeeper.domain.roll import begin
from tollkeeper.store.ledger import Ledger

TABLE = "credits"


@dataclass
class Behind:
    """Eventually consistent reads see the table this many commits ago."""

    commits: dict[str, int] = field(default_factory=dict[str, int])

    def behind(self, what: str) -> int:
        """Shape: `what` is item or index."""
        return self.commits.get(what, 0)


@lru_cache(maxsize=1)
def definition() -> dict[str, Any]:
    """The table as the template has it."""
    return dict(table_definition(read_template(), name=TABLE))


def a_store(
    *, item: int = 0, index: int = 0, cut: Callable[[], int | None] | None = None
) -> SimStore:
    """An empty table whose eventual reads are so many commits late and whose pages end early."""
    return SimStore(definition(), lag=Behind({"item": item, "index": index}), cut=cut)


def a_ledger(store: SimStore | None = None) -> Ledger:
    """A ledger on that table, or on an empty one."""
    return Ledger(store or a_store(), TABLE)


@dataclass
class Answering:
    """A client that remembers what it was asked and answers, or fails, as it was told."""

    answer: dict[str, Any] = field(default_factory=dict[str, Any])
    error: Exception | None = None
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def get_item(self, **request: Any) -> dict[str, Any]:
        """The answer, or the failure."""
        return self._give(request)

    def query(self, **request: Any) -> dict[str, Any]:
        """The answer, or the failure."""
        return self._give(request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """The answer, or the failure."""
        return self._give(request)

    def _give(self, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return self.answer


def refused(code: str, **members: Any) -> ClientError:
    """The service's answer with that error code."""
    response: Any = {"Error": {"Code": code, "Message": "no"}, **members}
    return ClientError(response, "Any")


def cancelled(*reasons: str | dict[str, Any]) -> ClientError:
    """A cancelled transaction with these reasons, a slot each."""
    rows = [{"Code": each} if isinstance(each, str) else each for each in reasons]
    return refused("TransactionCanceledException", CancellationReasons=rows)


def opening(account: AccountId = ACCOUNT) -> Decision:
    """The decision that opens the account on the free plan with its first charge."""
    draft, _ = begin(None, account, now=NOON, catalog=CATALOG)
    return decide_charge(draft, Charge(a_key("k0"), "h0", a_run()), CATALOG)


def charging(account: Account, key: str = "k1") -> Decision:
    """The decision that charges one credit under that key."""
    return decide_charge(draft_of(account), Charge(a_key(key), "h", a_run()), CATALOG)


def voiding(decision: Decision, key: str = "v1") -> Decision:
    """The decision that gives back what that one charged."""
    assert decision.answer is not None
    command = GiveBack(a_key(key), "h", decision.answer, EntryKind.VOID)
    return decide_give_back(draft_of(decision.account), command)
