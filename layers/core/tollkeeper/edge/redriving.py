"""A redrive: an operator has the events of some rows sent again, by account and seq."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkeeper.domain.entries import AccountId, parse_id
from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge.observability import log_fact
from tollkeeper.service.notifying import EventBus, HasTime, Redrive, redrive
from tollkeeper.store.ledger import Ledger

LARGEST_SEQ = 10**15
MEMBERS = frozenset({"account", "from_seq", "to_seq"})


def answer_redrive(
    bus: EventBus, ledger: Ledger, asked: Mapping[str, Any], *, has_time: HasTime
) -> dict[str, Any]:
    """The events of these rows were sent again; the answer says where to go on.

    Raises: InvalidError for anything but an account and two seqs; BusyError.
    """
    wanted = read_redrive(asked)
    done = redrive(bus, ledger, wanted, has_time=has_time)
    facts: dict[str, Any] = {
        "account": wanted.account,
        "rows": done.rows,
        "events": done.events,
        "failed": list(done.failed),
        "missing": list(done.missing),
        "next_from_seq": done.next_from_seq,
    }
    log_fact("redriven", **facts)
    return facts


def read_redrive(asked: Mapping[str, Any]) -> Redrive:
    """The range that is asked for. Raises: InvalidError."""
    for name in sorted(MEMBERS ^ set(asked)):
        raise InvalidError(name, "is missing" if name in MEMBERS else "is not known")
    account = AccountId(parse_id(asked["account"], "account"))
    from_seq = _read_seq(asked, "from_seq")
    to_seq = _read_seq(asked, "to_seq")
    if to_seq < from_seq:
        raise InvalidError("to_seq", "must not be less than from_seq")
    return Redrive(account, from_seq, to_seq)


def _read_seq(asked: Mapping[str, Any], member: str) -> int:
    seq = asked[member]
    if type(seq) is not int or not 1 <= seq < LARGEST_SEQ:
        raise InvalidError(member, "must be a whole number from 1 on")
    return seq
