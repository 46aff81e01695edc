"""Bugs of idempotency: what a key remembers, when it does, and for how long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from simulation.planted.bug import Bug, Patches
from tollkeeper.domain.draft import Decision
from tollkeeper.domain.entries import EntryKey
from tollkeeper.domain.errors import BusyError, TollkeeperError
from tollkeeper.service import commit
from tollkeeper.service.commit import Order, Outcome
from tollkeeper.service.ports import World
from tollkeeper.store import ledger
from tollkeeper.store.client import DynamoClient
from tollkeeper.store.keys import key
from tollkeeper.store.ledger import AppliedBeforeError, Ledger, TakenError
from tollkeeper.store.rows import Item, from_ms, number, to_ms
from tollkeeper.store.writes import IS_NEW, Write, decision_to_writes

COMMIT: Any = vars(commit)["_Commit"]
Run = Callable[[Any], Outcome]


def without_condition(write: Write) -> Write:
    """The same put, whatever is there."""
    put = {k: v for k, v in write.put.items() if not k.startswith(("Condition", "Expression"))}
    return Write(write.role, put)


def unkeyed_writes(decision: Decision) -> list[Write]:
    """The decision's writes, whether or not its key was applied before."""
    return [
        without_condition(write) if write.role == "answer" else write
        for write in decision_to_writes(decision)
    ]


def under_key(decision: Decision, key: EntryKey) -> Decision:
    """The decision with its own row under another key."""
    assert decision.answer is not None and decision.answer is decision.entries[-1]
    answer = replace(decision.answer, key=key)
    return replace(decision, entries=(*decision.entries[:-1], answer), answer=answer)


def forget_rows(patches: Patches) -> None:
    """The ledger's rows do no longer remember their keys; something else has to."""

    def certain(self: Any, refusal: TollkeeperError | None) -> Outcome | None:
        if not self._is_strong:
            self._load(is_strong=True)
            return None
        if refusal is not None:
            raise refusal
        return Outcome(None)

    patches.replace(COMMIT, "_certain", certain)
    patches.replace(ledger, "decision_to_writes", unkeyed_writes)


class Marks:
    """A table of keys beside the ledger, as many systems have one."""

    def __init__(self, world: World, order: Order) -> None:
        self._ledger = world.ledger
        self._key = key(f"X#{order.account}", str(order.key))

    def read(self) -> Item | None:
        """What is remembered of the key."""
        return self._ledger.read_item(self._key)

    def write(self, *, is_new: bool, until: datetime | None = None) -> None:
        """The key is remembered: as done, or as under way until then. Raises: TakenError."""
        item = self._key | ({} if until is None else {"until": number(to_ms(until))})
        self._ledger.write_puts(Write("mark", {"Item": item, **(IS_NEW if is_new else {})}))


def around_run(patches: Patches, run: Callable[[Any, Run], Outcome]) -> None:
    """Every command of a caller goes through this, with the product's own way as its second."""
    own: Run = COMMIT.run

    def either(self: Any) -> Outcome:
        return run(self, own) if self._order.key.startswith("c#") else own(self)

    patches.replace(COMMIT, "run", either)


def replayed(self: Any) -> Outcome | None:
    """What the ledger's row under the command's key replays, where there is one."""
    entry = self._world.ledger.read_entry(self._order.account, self._order.key)
    return None if entry is None else self._replay(entry)


def mark_after_effect(patches: Patches) -> None:
    """The key is written down once the work is done, in a write of its own."""
    forget_rows(patches)

    def run(self: Any, own: Run) -> Outcome:
        marks = Marks(self._world, self._order)
        found = replayed(self) if marks.read() is not None else None
        if found is not None:
            return found
        outcome = own(self)
        with suppress(TakenError):
            marks.write(is_new=True)
        return outcome

    around_run(patches, run)


def mark_before_effect(patches: Patches) -> None:
    """The key is written down first; whoever finds it believes that somebody is at work."""
    forget_rows(patches)

    def run(self: Any, own: Run) -> Outcome:
        try:
            Marks(self._world, self._order).write(is_new=True)
        except TakenError:
            found = replayed(self)
            if found is None:
                raise BusyError("A request with this key is under way.") from None
            return found
        return own(self)

    around_run(patches, run)


def lock_around_body(patches: Patches) -> None:
    """A lock per key, for 30 s, around work that does not know the key."""
    forget_rows(patches)

    def run(self: Any, own: Run) -> Outcome:
        marks, now = Marks(self._world, self._order), self._world.clock.now()
        found = marks.read()
        if found is not None and "until" not in found:
            return replayed(self) or own(self)
        if found is not None and from_ms(int(found["until"]["N"])) > now:
            raise BusyError("A request with this key is under way.")
        try:
            marks.write(is_new=found is None, until=now + timedelta(seconds=30))
        except TakenError:
            raise BusyError("A request with this key is under way.") from None
        try:
            outcome = own(self)
        except TollkeeperError:
            marks.write(is_new=False, until=now)
            raise
        marks.write(is_new=False)
        return outcome

    around_run(patches, run)


class _Tokens:
    """A client that sends a token of ours with every transaction."""

    def __init__(self, client: DynamoClient, token: str) -> None:
        self._client = client
        self._token = token
        self.get_item = client.get_item
        self.query = client.query

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none; nothing where the token was used in the last ten minutes."""
        return self._client.transact_write_items(ClientRequestToken=self._token, **request)


def token_alone(patches: Patches) -> None:
    """DynamoDB's token of ten minutes is all that keeps a request from working twice."""
    forget_rows(patches)
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        answer = decision.answer
        if answer is None:
            own(self, decision)
            return
        digest = hashlib.sha256(f"{answer.account}\n{answer.key}".encode()).hexdigest()
        try:
            own(Ledger(_Tokens(self._client, digest[:36]), self._table), decision)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code != "IdempotentParameterMismatchException":
                raise
            found = self.read_entry(answer.account, answer.key)
            if found is None:
                raise BusyError("Another request has this token.") from error
            raise AppliedBeforeError(found) from error

    patches.replace(Ledger, "write_decision", write_decision)


def forget_after(kept: timedelta, patches: Patches) -> None:
    """A key is forgotten after a while."""
    own = Ledger.write_decision

    def write_decision(self: Any, decision: Decision) -> None:
        try:
            own(self, decision)
        except AppliedBeforeError as applied:
            if applied.entry.at + kept > decision.account.rolled_to:
                raise
            self._write(unkeyed_writes(decision))

    def certain(self: Any, refusal: TollkeeperError | None) -> Outcome | None:
        if not self._is_strong:
            self._load(is_strong=True)
            return None
        applied = self._world.ledger.read_entry(self._order.account, self._order.key)
        if applied is not None and applied.at + kept > self._world.clock.now():
            return self._replay(applied)
        if refusal is not None:
            raise refusal
        return Outcome(None)

    patches.replace(Ledger, "write_decision", write_decision)
    patches.replace(COMMIT, "_certain", certain)


BUGS = (
    Bug("key after effect", "the key is written down in a second write", mark_after_effect),
    Bug("key before effect", "the key is written down, then the work is done", mark_before_effect),
    Bug("token alone", "the database's token of 10 minutes is the only key", token_alone),
    Bug("lock around the body", "an in-progress lock around work without a key", lock_around_body),
    Bug("key kept 24 hours", "a key works again a day later", partial(forget_after, timedelta(1))),
    Bug(
        "key kept 10 minutes",
        "a key works again ten minutes later",
        partial(forget_after, timedelta(minutes=10)),
    ),
)
