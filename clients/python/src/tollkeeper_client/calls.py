"""Every request of the API: what is sent, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode

from tollkeeper_client import reading
from tollkeeper_client.amounts import Amount, write_amount, write_json
from tollkeeper_client.answers import (
    Account,
    Charge,
    Check,
    EntryPage,
    Estimate,
    Extension,
    Hold,
    Release,
    Settlement,
    Void,
)
from tollkeeper_client.errors import InvalidArgumentError
from tollkeeper_client.sending import Reply, Request
from tollkeeper_client.usage import read_usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and what its answer is."""

    request: Request
    read: Callable[[Reply], T]


class RunMembers(TypedDict, total=False):
    """What a run may say about itself.

    Shape: `usage` is counts by pool, or the usage object or whole answer of a provider; `plan`
    or `role` is the plan on which a new account opens; `per_run_max` makes a limit tighter.
    """

    model: str
    quantity: Amount
    usage: object
    feature: str
    service: str
    subtype: str
    plan: str
    role: str
    quote_id: str
    per_run_max: Amount
    metadata: Mapping[str, object]


class CheckMembers(RunMembers, total=False):
    """What a check may say. Shape: `estimate` is the credits that the run may take."""

    estimate: Amount


class DeductMembers(RunMembers, total=False):
    """What a deduct may say. Shape: `success=False` records a run that failed, free of charge."""

    success: bool
    response_time_ms: int
    occurred_at: datetime


class HoldMembers(RunMembers, total=False):
    """What a hold may say. Shape: `estimate` is the credits to set aside, 900 s is the default."""

    estimate: Amount
    expires_in_s: int


class SettleMembers(TypedDict, total=False):
    """What a settle says: one of `usage`, `quantity` and `amount`."""

    usage: object
    quantity: Amount
    amount: Amount
    model: str
    response_time_ms: int
    occurred_at: datetime
    metadata: Mapping[str, object]


_AMOUNTS = frozenset({"quantity", "amount", "estimate", "per_run_max"})


def to_body(members: Mapping[str, object]) -> dict[str, object]:
    """The members as they are sent; absent ones are left out.

    Raises: InvalidArgumentError.
    """
    return {name: _sent(name, each) for name, each in members.items() if each is not None}


def _sent(name: str, value: object) -> object:
    if name in _AMOUNTS:
        return write_amount(value, name)
    if name == "usage":
        return read_usage(value).to_wire()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidArgumentError(f"{name} must say its offset: datetime.now(UTC)")
        return value.isoformat()
    return value


def _post(path: str, body: Mapping[str, object], key: str | None = None) -> Request:
    try:
        return Request("POST", path, write_json(body), key)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"The request cannot be sent: {error}") from None


def _account_path(account: str, *rest: str) -> str:
    return "/".join(["/v1/accounts", *(quote(part, safe="") for part in (account, *rest))])


def _hold_path(hold_id: str, verb: str) -> str:
    return f"/v1/holds/{quote(hold_id, safe='')}/{verb}"


def check(account: str, operation: str, **given: Unpack[CheckMembers]) -> Call[Check]:
    """Asks whether the account can pay for this run now."""
    body = to_body({"account": account, "operation": operation, **given})
    return Call(_post("/v1/check", body), reading.read_check)


def estimate(account: str, operation: str, **given: Unpack[RunMembers]) -> Call[Estimate]:
    """Asks what this run may cost."""
    body = to_body({"account": account, "operation": operation, **given})
    return Call(_post("/v1/estimate", body), reading.read_estimate)


def deduct(
    account: str, operation: str, *, key: str, **given: Unpack[DeductMembers]
) -> Call[Charge]:
    """The run is charged, once for its key."""
    body = to_body({"account": account, "operation": operation, **given})
    return Call(_post("/v1/deduct", body, key), reading.read_charge)


def hold(account: str, operation: str, *, hold_id: str, **given: Unpack[HoldMembers]) -> Call[Hold]:
    """Credits are set aside for the run, once for the hold's id."""
    body = to_body({"account": account, "operation": operation, "hold_id": hold_id, **given})
    return Call(_post("/v1/holds", body), reading.read_hold)


def settle(
    hold_id: str,
    account: str,
    *,
    part_key: str | None = None,
    **given: Unpack[SettleMembers],
) -> Call[Settlement]:
    """The hold is charged; with a `part_key` a part of it, and it stays open with the rest."""
    final: dict[str, object] = {} if part_key is None else {"final": False}
    body = to_body({"account": account, **given}) | final
    return Call(_post(_hold_path(hold_id, "settle"), body, part_key), reading.read_settlement)


def release(hold_id: str, account: str, *, reason: str) -> Call[Release]:
    """The hold is given back whole."""
    body = {"account": account, "reason": reason}
    return Call(_post(_hold_path(hold_id, "release"), body), reading.read_release)


def extend(hold_id: str, account: str, *, expires_in_s: int, key: str) -> Call[Extension]:
    """The hold lasts that long from now."""
    body = {"account": account, "expires_in_s": expires_in_s}
    return Call(_post(_hold_path(hold_id, "extend"), body, key), reading.read_extension)


def void(account: str, charge: str, *, key: str, reason: str | None = None) -> Call[Void]:
    """The charge is undone."""
    path = _account_path(account, "entries", charge) + "/void"
    return Call(_post(path, to_body({"reason": reason}), key), reading.read_void)


def account(account_id: str) -> Call[Account]:
    """The account as it is now."""
    return Call(Request("GET", _account_path(account_id)), reading.read_account)


def entries(account_id: str, *, limit: int, cursor: str | None = None) -> Call[EntryPage]:
    """A page of the account's history."""
    query = {"limit": str(limit), **({} if cursor is None else {"cursor": cursor})}
    path = _account_path(account_id, "entries") + "?" + urlencode(query)
    return Call(Request("GET", path), reading.read_entries)
