"""Accounts and their ledger in DynamoDB: one method, one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as LinkError

from tollkeeper.domain.account import Account
from tollkeeper.domain.draft import ChargeReturned, Decision
from tollkeeper.domain.entries import AccountId, Entry, EntryKey
from tollkeeper.domain.errors import BusyError, LedgerCorruptError
from tollkeeper.domain.totals import DayClosed
from tollkeeper.store.client import DynamoClient
from tollkeeper.store.items import account_from_item, entry_from_item
from tollkeeper.store.keys import (
    Key,
    account_key,
    account_pk,
    case_key,
    day_key,
    entry_key,
    event_key,
    link_key,
    purchase_key,
    returned_key,
)
from tollkeeper.store.rows import Item, number, string
from tollkeeper.store.writes import (
    Write,
    also_to_writes,
    day_from_item,
    decision_to_writes,
    returned_from_item,
)

if TYPE_CHECKING:
    from tollkeeper.domain.cases import Case
    from tollkeeper.domain.purchases import EventSeen, Linked, Purchase

NO_ACCOUNT = AccountId("")
BUSY_CODES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "TransactionInProgressException",
        "TransactionConflictException",
        "500",
        "503",
    }
)
# What a slot of a cancelled transaction says when it was unlucky, not wrong.
UNLUCKY_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
)
FAILED = "ConditionalCheckFailed"


class UnansweredError(BusyError):
    """DynamoDB did not answer, or was too busy to: what was sent may or may not be written."""


class ContendedError(BusyError):
    """Somebody else wrote the account first, or at the same moment."""

    def __init__(self) -> None:
        super().__init__("The account is busy; the same request with the same key is safe.")


class TakenError(BusyError):
    """An item that the command needs to be new is there. `role` says which."""

    def __init__(self, role: str) -> None:
        super().__init__(f"The {role} was written by another request.")
        self.role = role


class RowExistsError(LedgerCorruptError):
    """A row of time is there although the account has not reached it: a stale read, or worse."""


class AppliedBeforeError(BusyError):
    """The command's own row is there: the key was applied."""

    def __init__(self, entry: Entry) -> None:
        super().__init__("The key was applied before.")
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the seq to go on below, where there are more."""

    entries: tuple[Entry, ...]
    next_seq: int | None


class Ledger:
    """The table. Every method is one DynamoDB call and leaves nothing half done."""

    def __init__(self, client: DynamoClient, table: str) -> None:
        self._client = client
        self._table = table

    def read_account(self, account: AccountId, *, is_strong: bool) -> Account | None:
        """The account, or None where nobody touched it yet.

        Cost: one GetItem; half a read unit a 4 KB, one where strong.
        """
        item = self._get(account_key(account), is_strong=is_strong)
        return None if item is None else account_from_item(item)

    def read_entry(self, account: AccountId, key: EntryKey) -> Entry | None:
        """The row of that key, read strongly. Cost: one GetItem."""
        item = self._get(entry_key(account, key), is_strong=True)
        return None if item is None else entry_from_item(item)

    def read_return(self, account: AccountId, charge: EntryKey) -> ChargeReturned | None:
        """What gave that charge back, or priced it anew. Cost: one GetItem."""
        item = self._get(returned_key(account, charge), is_strong=True)
        return None if item is None else returned_from_item(item)

    # Payments import their items where they are read: a charge needs none, and would wait for it.

    def read_purchase(self, account: AccountId, purchase: str) -> Purchase | None:
        """The purchase, read strongly. Cost: one GetItem."""
        from tollkeeper.store.payments import purchase_from_item

        item = self._get(purchase_key(account, purchase), is_strong=True)
        return None if item is None else purchase_from_item(item)

    def read_link(self, target: str) -> Linked | None:
        """Whose the Stripe object or purchase is, read strongly. Cost: one GetItem."""
        from tollkeeper.store.payments import link_from_item

        item = self._get(link_key(target), is_strong=True)
        return None if item is None else link_from_item(item)

    def read_case(self, case_id: str) -> Case | None:
        """The payment that needs a person, read strongly. Cost: one GetItem."""
        from tollkeeper.store.cases import case_from_item

        item = self._get(case_key(case_id), is_strong=True)
        return None if item is None else case_from_item(item)

    def has_event(self, event: str) -> bool:
        """The Stripe event was processed. Cost: one GetItem."""
        return self._get(event_key(event), is_strong=True) is not None

    def read_history(self, account: AccountId, *, below_seq: int | None, limit: int) -> Page:
        """Up to `limit` rows below that seq, newest first, as a list shows them.

        Cost: one Query of the history index; it may lag the ledger by a moment.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "history",
            "KeyConditionExpression": "pk = :pk AND entry_seq < :below",
            "ExpressionAttributeValues": {
                ":pk": string(account_pk(account)),
                ":below": number(10**15 if below_seq is None else below_seq),
            },
            "ScanIndexForward": False,
            "Limit": limit,
        }
        answer = self._call("query", request)
        entries = tuple(entry_from_item(item) for item in answer["Items"])
        has_more = "LastEvaluatedKey" in answer and bool(entries)
        return Page(entries, entries[-1].seq if has_more else None)

    def read_days(
        self, account: AccountId, first: date, last: date, start: Key | None = None
    ) -> tuple[tuple[DayClosed, ...], Key | None]:
        """One page of closed days between the two, both included, and where the next starts.

        Cost: one strong Query; O(days asked for).
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": string(account_pk(account)),
                ":first": day_key(account, first)["sk"],
                ":last": day_key(account, last)["sk"],
            },
            "ConsistentRead": True,
        }
        if start is not None:
            request["ExclusiveStartKey"] = start
        answer = self._call("query", request)
        days = tuple(day_from_item(item) for item in answer["Items"])
        return days, answer.get("LastEvaluatedKey")

    def read_due(
        self, shard: int, *, until_ms: int, start: Key | None = None, kind: str = "DUE"
    ) -> tuple[tuple[AccountId, ...], Key | None]:
        """One page of accounts of the shard that are due, and where the next starts.

        `kind` is what is due: the account itself, or something beside it.

        Cost: one Query of the due index, keys only; at most 100 accounts.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :shard AND due_at <= :until",
            "ExpressionAttributeValues": {
                ":shard": string(f"{kind}#{shard}"),
                ":until": number(until_ms),
            },
            "Limit": 100,
        }
        if start is not None:
            request["ExclusiveStartKey"] = start
        answer = self._call("query", request)
        accounts = tuple(AccountId(item["pk"]["S"][2:]) for item in answer["Items"])
        return accounts, answer.get("LastEvaluatedKey")

    def read_list(
        self, name: str, *, first: str = "", after: str = "", limit: int = 1000
    ) -> tuple[list[Item], bool]:
        """One page of a list by account, from that beginning or after that account on.

        The second is true where more follow. Shape: items as the index `lists` projects them.
        Cost: one Query of the index, which may lag the table by a moment.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "lists",
            "KeyConditionExpression": "due_shard = :list AND pk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":list": string(name),
                # Why: between takes both ends; nothing comes right after an id but this.
                ":first": string(max(account_pk(first), account_pk(f"{after}!") if after else "")),
                ":last": string(account_pk(f"{first}~")),
            },
            "Limit": limit,
        }
        answer = self._call("query", request)
        return answer["Items"], "LastEvaluatedKey" in answer

    def read_item(self, key: Key) -> Item | None:
        """One item as it is, read strongly. Cost: one GetItem."""
        return self._get(key, is_strong=True)

    def read_items(self, pk: str, *, limit: int, after: str = "") -> list[Item]:
        """The first items of a partition, or those after a sort key. Cost: one strong Query."""
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk" + (" AND sk > :after" if after else ""),
            "ExpressionAttributeValues": {":pk": string(pk)}
            | ({":after": string(after)} if after else {}),
            "ConsistentRead": True,
            "Limit": limit,
        }
        return self._call("query", request)["Items"]

    def read_purchases(
        self, account: AccountId, *, limit: int, after: str = ""
    ) -> tuple[Purchase, ...]:
        """The first purchases of the account by their ids, or those after one.

        Cost: one strong Query.
        """
        from tollkeeper.store.payments import purchase_from_item

        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": string(account_pk(account)),
                # Why: between takes both ends; nothing comes right after an id but this.
                ":first": string(f"P#{after}!" if after else "P#"),
                ":last": string("P#~"),
            },
            "ConsistentRead": True,
            "Limit": limit,
        }
        return tuple(purchase_from_item(item) for item in self._call("query", request)["Items"])

    def read_partition(
        self, account: AccountId, start: Key | None, *, is_strong: bool
    ) -> tuple[list[Item], Key | None]:
        """One page of everything that belongs to the account, and where the next starts.

        Cost: one Query of up to a megabyte: 128 read units, 256 where strong.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": string(account_pk(account))},
            "ConsistentRead": is_strong,
        }
        if start is not None:
            request["ExclusiveStartKey"] = start
        answer = self._call("query", request)
        return answer["Items"], answer.get("LastEvaluatedKey")

    def write_decision(self, decision: Decision) -> None:
        """The whole decision is written, or nothing is.

        Raises: AppliedBeforeError, ContendedError, RowExistsError, TakenError, UnansweredError.
        Cost: one TransactWriteItems; two write units a KB of each item.
        """
        self._write(decision_to_writes(decision))

    def write_purchase(self, purchase: Purchase, *also: Linked | EventSeen | Case) -> None:
        """The purchase is written over the version before it, with what goes with it.

        Raises: TakenError where somebody wrote it, or the event, meanwhile; as write_decision.
        Cost: one TransactWriteItems.
        """
        from tollkeeper.store.payment_writes import purchase_to_writes

        self._write(purchase_to_writes(purchase, *also))

    def write_facts(self, *facts: Linked | EventSeen | Case) -> None:
        """What is known beside any account is written. Raises and Cost: as write_purchase."""
        self._write(also_to_writes(NO_ACCOUNT, *facts))

    def write_puts(self, *writes: Write) -> None:
        """All of these puts are written, or none. Raises and Cost: as write_decision."""
        self._write(list(writes))

    def _write(self, writes: Sequence[Write]) -> None:
        request = {
            "TransactItems": [
                {
                    "Put": {
                        "TableName": self._table,
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        **write.put,
                    }
                }
                for write in writes
            ]
        }
        try:
            self._client.transact_write_items(**request)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "TransactionCanceledException":
                _raise_busy(error)
            _read_cancellation(error, writes)
        except (HTTPClientError, LinkError) as error:
            raise UnansweredError("The ledger did not answer in time.") from error

    def _get(self, key: Key, *, is_strong: bool) -> Item | None:
        answer = self._call(
            "get_item", {"TableName": self._table, "Key": key, "ConsistentRead": is_strong}
        )
        return answer.get("Item")

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
        except ClientError as error:
            _raise_busy(error)
        except (HTTPClientError, LinkError) as error:
            raise UnansweredError("The ledger did not answer in time.") from error
        return answer


def _raise_busy(error: ClientError) -> NoReturn:
    """The error as ours where the database was busy; anything else flies on."""
    if str(error.response.get("Error", {}).get("Code")) in BUSY_CODES:
        raise UnansweredError("The ledger is busy.") from error
    raise error


def _read_cancellation(error: ClientError, writes: Sequence[Write]) -> NoReturn:
    """The cancelled transaction's first reason in the order that keeps keys honest.

    Why: whether the key was applied is judged before anything else; a moved version explains
    everything behind it; only then can a row that exists be an error.
    """
    response: dict[str, Any] = dict(error.response)
    reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])
    failed = {index: reason for index, reason in enumerate(reasons) if reason.get("Code") == FAILED}
    for index, reason in failed.items():
        if writes[index].role == "answer":
            raise AppliedBeforeError(entry_from_item(reason["Item"])) from error
    if any(writes[index].role == "account" for index in failed):
        raise ContendedError from error
    if any(reason.get("Code") in UNLUCKY_REASONS for reason in reasons):
        raise ContendedError from error
    for index in failed:
        if writes[index].role == "row":
            raise RowExistsError("A row of time exists before its time.") from error
        raise TakenError(writes[index].role) from error
    raise error
