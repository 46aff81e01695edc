"""Patience where two requests write the same at the same moment: pauses, and a few tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tollkeeper.domain.errors import BusyError
from tollkeeper.service.commit import FIRST_PAUSE_S
from tollkeeper.service.ports import World
from tollkeeper.store.ledger import ContendedError, TakenError

MOST_TRIES = 5
Done = TypeVar("Done")


def pause(world: World, number: int, *, growth: int = 2) -> None:
    """Somebody else had time to end: longer after each try, and not the same for two requests.

    `number` is that of the try, from 0; each pause is `growth` times the one before it.
    """
    world.clock.pause(FIRST_PAUSE_S * growth**number * (0.5 + world.ids.fraction()))


def until_written(
    world: World,
    apply: Callable[[], Done],
    *,
    tries: int = MOST_TRIES,
    busy: str = "The purchase is busy; the same event is safe to send again.",
) -> Done:
    """What became of it, decided again as often as somebody else was faster.

    Raises: what `apply` raises; BusyError with the sentence `busy` after that many tries.
    """
    for number in range(tries):
        try:
            return apply()
        except (TakenError, ContendedError):
            pause(world, number)
    raise BusyError(busy)
