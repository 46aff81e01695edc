"""Price versions in DynamoDB: every catalog that ever priced a charge, compressed."""

from __future__ import annotations

import zlib
from datetime import datetime

from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import version_key
from tollkeeper.store.ledger import Ledger, TakenError
from tollkeeper.store.rows import Item, number, string, to_ms
from tollkeeper.store.writes import IS_NEW, Write

LARGEST_CATALOG_BYTES = 300_000


def pack_catalog(catalog: str) -> bytes | None:
    """The catalog's source as it is stored; None where it would not fit one item."""
    packed = zlib.compress(catalog.encode(), level=9)
    return packed if len(packed) <= LARGEST_CATALOG_BYTES else None


def version_to_item(digest: str, catalog: str, at: datetime) -> Item:
    """The version's item: the parsed catalog as canonical JSON, compressed."""
    packed = pack_catalog(catalog)
    assert packed is not None, "a catalog fits one item"
    return version_key(digest) | {
        "sv": number(SCHEMA),
        "at": number(to_ms(at)),
        "size": number(len(catalog)),
        "how": string("zlib"),
        "catalog": {"B": packed},
    }


def version_from_item(item: Item) -> str:
    """The parsed catalog as canonical JSON."""
    return zlib.decompress(item["catalog"]["B"]).decode()


def write_version(ledger: Ledger, digest: str, catalog: str, at: datetime) -> None:
    """The version is stored, by us or by somebody before.

    Cost: one GetItem, and for the very first one TransactWriteItems.
    Why: a catalog with its price book is large, and a write that finds it there costs as much as
    one that does not.
    """
    if ledger.read_item(version_key(digest)) is not None:
        return
    try:
        ledger.write_puts(
            Write("version", {"Item": version_to_item(digest, catalog, at), **IS_NEW})
        )
    except TakenError:
        return


def read_version(ledger: Ledger, digest: str) -> str | None:
    """The catalog of that version, or None where nothing was ever priced with it."""
    item = ledger.read_item(version_key(digest))
    return None if item is None else version_from_item(item)
