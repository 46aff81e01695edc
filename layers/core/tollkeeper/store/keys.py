"""Where each item lives: the names of the table's keys, typed so that none can be forged."""

from __future__ import annotations

from datetime import date
from typing import Any
from zlib import crc32

from tollkeeper.domain.entries import AccountId, EntryKey

DUE_SHARDS = 16
DAY_SHARDS = 16
WAITING_SHARDS = 8

Key = dict[str, Any]


def key(pk: str, sk: str) -> Key:
    """Shape: {"pk": {"S": ...}, "sk": {"S": ...}}."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def account_pk(account: str) -> str:
    """The partition of everything that belongs to one account."""
    return f"A#{account}"


def account_key(account: AccountId) -> Key:
    """The account item."""
    return key(account_pk(account), "A")


def entry_key(account: AccountId, entry: EntryKey) -> Key:
    """One ledger row."""
    return key(account_pk(account), f"E#{entry}")


def day_key(account: AccountId, day: date) -> Key:
    """One closed day."""
    return key(account_pk(account), f"D#{day.isoformat()}")


def returned_key(account: AccountId, charge: EntryKey) -> Key:
    """The mark that a charge was given back, or priced anew."""
    return key(account_pk(account), f"B#{charge}")


def waiting_pk(shard: int) -> str:
    """One part of the list of charges that wait for their price."""
    return f"Q#{shard}"


def waiting_shard(account: str) -> int:
    """The part of the list that an account's charges are in."""
    return crc32(account.encode()) % WAITING_SHARDS


def purchase_key(account: AccountId, purchase: str) -> Key:
    """One purchase."""
    return key(account_pk(account), f"P#{purchase}")


def link_key(target: str) -> Key:
    """From a Stripe object or purchase id to the account."""
    return key(f"L#{target}", "L")


def event_key(event: str) -> Key:
    """One processed Stripe event."""
    return key(f"S#{event}", "S")


def case_key(case_id: str) -> Key:
    """One payment that needs a person."""
    return key(f"X#{case_id}", "X")


def case_list_pk(shard: int) -> str:
    """One part of the list of payments that need a person."""
    return f"QM#{shard}"


def version_key(digest: str) -> Key:
    """One price version."""
    return key(f"V#{digest}", "V")


def api_key_key(key_id: str) -> Key:
    """One service key."""
    return key("K", f"K#{key_id}")


def due_shard(account: str) -> str:
    """The shard of the due index that sweeps this account, and of the lists that names it."""
    return account_list(crc32(account.encode()) % DUE_SHARDS)


def account_list(shard: int) -> str:
    """One part of the list of accounts."""
    return f"DUE#{shard}"


def day_list(day: date, shard: int) -> str:
    """One part of the list of accounts whose day of this date is closed."""
    return f"DAY#{day.isoformat()}#{shard}"


def day_shard(account: str) -> int:
    """The part of each day's list that the account is in."""
    return crc32(account.encode()) % DAY_SHARDS


def report_key(kind: str, name: str = "") -> Key:
    """One item of the reports, all of which are in one partition."""
    return key("R", f"{kind}#{name}" if name else kind)
