"""A clock that only sleeping moves: deadlines come at once, and never because a machine is slow."""

from __future__ import annotations

from tollkeeper_client import Surroundings


class VirtualTime:
    """Seconds that have been slept."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """That time has passed."""
        self.slept.append(seconds)
        self.now_s += seconds

    async def sleep_async(self, seconds: float) -> None:
        """That time has passed."""
        self.sleep(seconds)


def virtual(time: VirtualTime | None = None, *, chance: float = 0.5) -> Surroundings:
    """Surroundings of that clock, with real connections."""
    clock = time or VirtualTime()
    return Surroundings(
        monotonic=lambda: clock.now_s,
        sleep=clock.sleep,
        sleep_async=clock.sleep_async,
        chance=lambda: chance,
    )
