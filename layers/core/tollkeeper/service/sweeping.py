"""The sweep: accounts that nobody touched since something was due are rolled forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tollkeeper.domain.draft import Draft
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.errors import BusyError
from tollkeeper.domain.roll import next_moment, roll
from tollkeeper.service.ports import World
from tollkeeper.store.keys import DUE_SHARDS
from tollkeeper.store.rows import to_ms

ALL_SHARDS = tuple(range(DUE_SHARDS))


@dataclass(slots=True)
class Swept:
    """What a sweep did. `is_finished` is false where time ran out; the next one goes on."""

    rolled: int = 0
    busy: int = 0
    broken: int = 0
    is_finished: bool = True


def sweep(
    world: World,
    shards: tuple[int, ...],
    *,
    has_time: Callable[[], bool],
    on_broken: Callable[[AccountId], None],
) -> Swept:
    """Every due account of the shards is rolled to now, as far as the time goes.

    Running it twice, at once or never changes no balance: the first touch would do the same.
    Cost: one Query per 100 due accounts; one GetItem and one TransactWriteItems per account.
    """
    swept = Swept()
    until_ms = to_ms(world.clock.now())
    for shard in shards:
        try:
            due = _read_due(world, shard, until_ms)
            _sweep_shard(world, due, swept, has_time=has_time, on_broken=on_broken)
        except BusyError:
            # The shard cannot be read on now; the others can, and the next sweep reads it again.
            swept.busy += 1
            swept.is_finished = False
    return swept


def _read_due(world: World, shard: int, until_ms: int) -> Iterator[tuple[AccountId, ...]]:
    """The shard's due accounts, page by page. Raises: BusyError."""
    accounts, start = world.ledger.read_due(shard, until_ms=until_ms)
    yield accounts
    while start is not None:
        accounts, start = world.ledger.read_due(shard, until_ms=until_ms, start=start)
        yield accounts


def _sweep_shard(
    world: World,
    due: Iterator[tuple[AccountId, ...]],
    swept: Swept,
    *,
    has_time: Callable[[], bool],
    on_broken: Callable[[AccountId], None],
) -> None:
    while has_time():
        page = next(due, None)
        if page is None:
            return
        for account in page:
            if not has_time():
                break
            _sweep_one(world, account, swept, on_broken)
    swept.is_finished = False


def _sweep_one(
    world: World, account: AccountId, swept: Swept, on_broken: Callable[[AccountId], None]
) -> None:
    try:
        swept.rolled += roll_forward(world, account)
    except BusyError:
        swept.busy += 1
    except Exception:  # noqa: BLE001 - one broken account must not stop its shard
        swept.broken += 1
        on_broken(account)


def roll_forward(world: World, account_id: AccountId) -> bool:
    """The account is rolled to now; true where that changed anything.

    One that the sweep was told to look at too early is written once, so that it is told better.

    Raises: BusyError where somebody else is at the account: then they roll it.
    """
    account = world.ledger.read_account(account_id, is_strong=True)
    has_changed = False
    while account is not None:
        now = max(world.clock.now(), account.rolled_to)
        is_early = account.due_at is not None and account.due_at <= now
        if next_moment(account).at > now and not is_early:
            break
        draft = Draft(account, account, now, world.catalog)
        roll(draft, now, world.catalog)
        decision = draft.decide(None)
        world.ledger.write_decision(decision)
        account = replace(decision.account, due_at=next_moment(decision.account).at)
        has_changed = True
    return has_changed
