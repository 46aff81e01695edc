"""Promo codes: made, listed and ended by operators; redeemed once per account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from tollkeeper.domain.codes import (
    CodeMoved,
    PromoCode,
    Redeem,
    decide_redemption,
    parse_code,
    redeemer_digest,
)
from tollkeeper.domain.draft import Decision, Draft
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.domain.errors import (
    CodeExistsError,
    CodeUsedError,
    IdempotencyMismatchError,
    InvalidError,
    UnknownCodeError,
)
from tollkeeper.service.commit import Order, Outcome, commit
from tollkeeper.service.patience import until_written
from tollkeeper.service.ports import World
from tollkeeper.store.codes import (
    CODE_PREFIX,
    CODES_PK,
    CodeMade,
    code_from_item,
    code_key,
    made_from_item,
    made_key,
    redeemed_key,
)
from tollkeeper.store.ledger import ContendedError, TakenError
from tollkeeper.store.writes import also_to_writes

MOST_TRIES = 8
"""Who redeems the same code at the same moment as others tries so often: its count is one item."""

NOBODY = AccountId("")


@dataclass(frozen=True, slots=True)
class Made:
    """A code that exists."""

    code: PromoCode
    was_replayed: bool


@dataclass(frozen=True, slots=True)
class CodePage:
    """Codes by name, and the one to go on after, where there are more."""

    codes: tuple[PromoCode, ...]
    next_after: str


def read_code(world: World, code: str) -> PromoCode | None:
    """The code, read strongly. Cost: one GetItem."""
    item = world.ledger.read_item(code_key(code))
    return None if item is None else code_from_item(item)


def make_code(world: World, code: PromoCode, key: EntryKey) -> Made:
    """The code exists, once for its idempotency key.

    Raises: InvalidError for a plan that does not exist or an end that has passed;
    IdempotencyMismatchError; CodeExistsError where another request made a code of that name.
    Cost: one TransactWriteItems, and two GetItem where the key or the code is there.
    """
    made = CodeMade(hashlib.sha256(key.encode()).hexdigest(), code.code, code.request_hash)
    item = world.ledger.read_item(made_key(made.digest))
    if item is None:
        _refuse_wrong(world, code)
        try:
            world.ledger.write_puts(*also_to_writes(NOBODY, CodeMoved(code), made))
        except (TakenError, ContendedError):
            item = world.ledger.read_item(made_key(made.digest))
        else:
            return Made(code, was_replayed=False)
    if item is None:
        raise CodeExistsError(f"There is a code {code.code} already; nothing was changed.")
    if made_from_item(item) != made:
        raise IdempotencyMismatchError(
            "This key was used before for another request; nothing was changed."
        )
    found = read_code(world, code.code)
    assert found is not None, "a code is not deleted"
    return Made(found, was_replayed=True)


def _refuse_wrong(world: World, code: PromoCode) -> None:
    unknown = [plan for plan in code.plans if plan not in world.catalog.plans]
    if unknown:
        raise InvalidError("plans", f"{unknown[0]!r} is not in the catalog")
    if code.expires_at is not None and code.expires_at <= world.clock.now():
        raise InvalidError("expires_at", "must be later than now")


def list_codes(world: World, *, limit: int, after: str) -> CodePage:
    """Up to `limit` codes by name, after that one. Cost: one strong Query."""
    start = f"{CODE_PREFIX}{after}" if after else ""
    items = world.ledger.read_items(CODES_PK, limit=limit, after=start)
    codes = tuple(code_from_item(item) for item in items)
    return CodePage(codes, codes[-1].code if len(codes) == limit else "")


def end_code(world: World, text: str) -> PromoCode:
    """Nobody can redeem the code any more; what it gave stays.

    Raises: UnknownCodeError, BusyError. Cost: one GetItem and one TransactWriteItems.
    """
    try:
        name = parse_code(text)
    except InvalidError:
        raise UnknownCodeError("There is no such code.") from None

    def apply() -> PromoCode:
        code = read_code(world, name)
        if code is None:
            raise UnknownCodeError("There is no such code.")
        if not code.is_active:
            return code
        ended = replace(code, is_active=False, version=code.version + 1)
        world.ledger.write_puts(*also_to_writes(NOBODY, CodeMoved(ended)))
        return ended

    busy = "The code is busy; the same request is safe."
    return until_written(world, apply, tries=MOST_TRIES, busy=busy)


def redeem(world: World, account: AccountId, command: Redeem) -> Outcome:
    """The account has the code's credits: once per account, and once for the key.

    Raises: UnknownCodeError, CodeUsedError, CodeExhaustedError, CodeExpiredError,
    CodeNotForPlanError and what commit raises.
    Cost: two GetItem more than commit; who redeems a code that others redeem at that very moment
    tries again.
    Why: the row, the count and the mark are one transaction. The mark is no part of the
    account's items, so it is there when these are deleted.
    """

    def apply() -> Outcome:
        code = read_code(world, command.code)
        mark = world.ledger.read_item(redeemed_key(command.code, redeemer_digest(account)))

        def decide(draft: Draft) -> Decision:
            if mark is not None:
                raise CodeUsedError(f"The account redeemed the code {command.code} before.")
            return decide_redemption(draft, command, code)

        order = Order(account, command.key, request_hash=command.request_hash, decide=decide)
        return commit(world, order)

    busy = "The code is busy; the same request with the same key is safe."
    return until_written(world, apply, tries=MOST_TRIES, busy=busy)
