"""A run: so many attacks from a seed, each judged, and what they came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from simulation.hostile.attacks import BODIES, REQUESTS, Attack, Maker
from simulation.hostile.deliveries import DELIVERIES
from simulation.hostile.judging import BrokenError, Judge
from simulation.hostile.target import Target
from simulation.hostile.users import USERS

BLOCK = 1_000
# How often, after a request that was taken, everything is taken back; else the next attack finds
# what that one left. And how often time goes on.
TAKEN_BACK = {"bodies": 0.2, "requests": 0.2, "users": 0.2, "webhooks": 1.0}
GOES_ON = 0.002
MOST_MINUTES = 40 * 24 * 60
MIXES: Mapping[str, Sequence[tuple[int, Maker]]] = {
    "bodies": BODIES,
    "requests": REQUESTS,
    "users": USERS,
    "webhooks": DELIVERIES,
}


@dataclass
class Totals:
    """What a run came to. Shape: `kinds` and `statuses` count attacks, `codes` refusals.

    `demanded` were never to be taken; `wrote` were taken and changed the table, and what they left
    was read back; `compared` is how often the whole table was.
    """

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    statuses: Counter[int] = field(default_factory=Counter[int])
    codes: Counter[str] = field(default_factory=Counter[str])
    demanded: int = 0
    wrote: int = 0
    compared: int = 0


class FoundError(Exception):
    """An attack got through. `attack` is it, `number` its place in the run of its seed."""

    def __init__(self, number: int, attack: Attack, reason: str) -> None:
        super().__init__(f"attack {number}, {attack.kind} on {attack.route}: {reason}")
        self.number = number
        self.attack = attack
        self.reason = reason


def run_attacks(
    target: Target,
    mix: str,
    count: int,
    *,
    seed: int,
    tell: Callable[[Totals], object] = lambda _: None,
) -> Totals:
    """So many attacks of the mix, every one of them judged.

    Raises: FoundError for the first one that is not as it must be.
    """
    target.take_back()
    random, totals, judge = Random(seed), Totals(), Judge(target)
    weights = [weight for weight, _ in MIXES[mix]]
    makers = [maker for _, maker in MIXES[mix]]
    while totals.sent < count:
        for maker in random.choices(makers, weights, k=min(BLOCK, count - totals.sent)):
            _attack(random, judge, maker(random, target), totals)
            if judge.has_changed and random.random() < TAKEN_BACK[mix]:
                _take_back(judge, totals)
        tell(totals)
    _take_back(judge, totals)
    totals.compared = judge.compared
    return totals


def _take_back(judge: Judge, totals: Totals) -> None:
    try:
        judge.take_back()
    except BrokenError as error:
        since = Attack("any since the last time", "", {})
        raise FoundError(totals.sent, since, str(error)) from None


def _attack(random: Random, judge: Judge, attack: Attack, totals: Totals) -> None:
    number = totals.sent
    totals.sent += 1
    totals.kinds[attack.kind] += 1
    totals.demanded += attack.must_refuse
    try:
        answer = judge.judge(attack)
        if judge.has_changed:
            totals.wrote += 1
    except BrokenError as error:
        raise FoundError(number, attack, str(error)) from None
    if random.random() < GOES_ON:
        judge.target.driver.clock.forward(minutes=random.randrange(MOST_MINUTES))
    if answer is None:
        totals.codes["denied"] += 1
        return
    totals.statuses[answer.status] += 1
    if answer.status >= 400:
        totals.codes[str(answer["code"])] += 1
