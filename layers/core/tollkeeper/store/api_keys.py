"""Service keys in DynamoDB: what is kept of them is a digest, never the secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import api_key_key
from tollkeeper.store.ledger import Ledger
from tollkeeper.store.rows import Item, from_ms, number, string, to_ms
from tollkeeper.store.writes import Write, is_version


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key that a backend calls with. `digest` is the HMAC of the whole key."""

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    version: int = 1
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    request_hash: str = ""


def api_key_to_item(key: ServiceKey) -> Item:
    """The key item."""
    item = api_key_key(key.id) | {
        "sv": number(SCHEMA),
        "v": number(key.version),
        "name": string(key.name),
        "digest": string(key.digest),
        "scopes": string(" ".join(key.scopes)),
        "created_at": number(to_ms(key.created_at)),
        "created_by": string(key.created_by),
        "h": string(key.request_hash),
    }
    for name, moment in (("expires_at", key.expires_at), ("revoked_at", key.revoked_at)):
        if moment is not None:
            item[name] = number(to_ms(moment))
    return item


def api_key_from_item(item: Item) -> ServiceKey:
    """The key as it was written."""
    expires, revoked = item.get("expires_at"), item.get("revoked_at")
    return ServiceKey(
        id=item["sk"]["S"][2:],
        name=item["name"]["S"],
        digest=item["digest"]["S"],
        scopes=tuple(item["scopes"]["S"].split()),
        created_at=from_ms(int(item["created_at"]["N"])),
        created_by=item["created_by"]["S"],
        version=int(item["v"]["N"]),
        expires_at=None if expires is None else from_ms(int(expires["N"])),
        revoked_at=None if revoked is None else from_ms(int(revoked["N"])),
        request_hash=item["h"]["S"],
    )


class KeyRing:
    """The table's service keys. Every method is one DynamoDB call."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def read_key(self, key_id: str) -> ServiceKey | None:
        """The key of that id, read strongly. Cost: one GetItem."""
        item = self._ledger.read_item(api_key_key(key_id))
        return None if item is None else api_key_from_item(item)

    def read_keys(self) -> tuple[ServiceKey, ...]:
        """The first thousand keys. Cost: one Query."""
        items = self._ledger.read_items("K", limit=1000)
        return tuple(api_key_from_item(item) for item in items)

    def write_key(self, key: ServiceKey) -> None:
        """The key is written over the version before it (version 1: over nothing).

        Raises: TakenError where somebody wrote it meanwhile. Cost: one TransactWriteItems.
        """
        put = {"Item": api_key_to_item(key), **is_version(key.version - 1)}
        self._ledger.write_puts(Write("key", put))
