"""Promo codes, the marks of who redeemed them, and the keys that made them, as items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tollkeeper.domain.codes import CodeRedeemed, PromoCode
from tollkeeper.store.items import SCHEMA
from tollkeeper.store.keys import Key, key
from tollkeeper.store.rows import Item, from_ms, number, string, to_ms

CODES_PK = "C"
"""All codes are in one partition, so that a list of them needs no scan."""

CODE_PREFIX = "C#"


@dataclass(frozen=True, slots=True)
class CodeMade:
    """Which code an idempotency key made: one key, one code. `digest` is the key's."""

    digest: str
    code: str
    request_hash: str


def code_key(code: str) -> Key:
    """One promo code."""
    return key(CODES_PK, f"{CODE_PREFIX}{code}")


def redeemed_key(code: str, digest: str) -> Key:
    """The mark that an account redeemed the code; no part of the account's own items."""
    return key(f"{CODE_PREFIX}{code}", f"R#{digest}")


def made_key(digest: str) -> Key:
    """The mark of the idempotency key that made a code."""
    return key(f"CK#{digest}", "C")


def code_to_item(code: PromoCode) -> Item:
    """The code's item."""
    item = code_key(code.code) | {
        "sv": number(SCHEMA),
        "v": number(code.version),
        "credits": number(code.credits_microcredits),
        "created_at": number(to_ms(code.created_at)),
        "redemptions": number(code.redemptions),
    }
    texts = {"created_by": code.created_by, "reason": code.reason, "h": code.request_hash}
    item |= {name: string(text) for name, text in texts.items() if text}
    if not code.is_active:
        item["off"] = number(1)
    if code.plans:
        item["plans"] = string(" ".join(code.plans))
    optional: dict[str, Any] = {
        "most_redemptions": code.most_redemptions,
        "expires_at": None if code.expires_at is None else to_ms(code.expires_at),
        "grant_days": code.grant_days,
    }
    return item | {name: number(value) for name, value in optional.items() if value is not None}


def code_from_item(item: Item) -> PromoCode:
    """The code as it was written."""
    expires_at = _number(item, "expires_at")
    return PromoCode(
        code=item["sk"]["S"].removeprefix(CODE_PREFIX),
        credits_microcredits=int(item["credits"]["N"]),
        created_at=from_ms(int(item["created_at"]["N"])),
        created_by=_text(item, "created_by"),
        reason=_text(item, "reason"),
        version=int(item["v"]["N"]),
        most_redemptions=_number(item, "most_redemptions"),
        redemptions=int(item["redemptions"]["N"]),
        expires_at=None if expires_at is None else from_ms(expires_at),
        grant_days=_number(item, "grant_days"),
        plans=tuple(_text(item, "plans").split()),
        is_active="off" not in item,
        request_hash=_text(item, "h"),
    )


def redeemed_to_item(mark: CodeRedeemed) -> Item:
    """The mark's item; it has no TTL: once is once for ever."""
    at = number(to_ms(mark.at))
    return redeemed_key(mark.code, mark.digest) | {"sv": number(SCHEMA), "at": at}


def made_to_item(made: CodeMade) -> Item:
    """The item of the key that made a code."""
    texts = {"code": string(made.code), "h": string(made.request_hash)}
    return made_key(made.digest) | {"sv": number(SCHEMA), **texts}


def made_from_item(item: Item) -> CodeMade:
    """The mark as it was written."""
    return CodeMade(item["pk"]["S"][3:], item["code"]["S"], item["h"]["S"])


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
