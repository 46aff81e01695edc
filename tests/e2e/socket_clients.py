"""One client process of the storm: threads that ask, ask again, and write down what they are told.

`python -m tests.e2e.socket_clients '<setup as JSON>'`. What each thread wants follows from the
seed; when it comes to it depends on the machine.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e import socket_wishes as wishes
from tests.e2e.running_gateway import Client
from tests.e2e.socket_journal import Ask, Journal, Told, try_once
from tests.e2e.socket_reading import ReadError, look
from tests.e2e.socket_wishes import Cast

SHARED_PER_S = 5
KEPT = 400
PAUSE_S = 0.15
HASTY_S = 0.02
SWEEP = "/_local/schedules/PeriodResetFunction"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a client process has to know.

    Shape: `began_at` is the storm's first moment, for all; it is over when there is a file
    `over`, and at `ends_at` in any case.
    """

    port: int
    key: str
    secret: str
    seed: int
    process: int
    threads: int
    began_at: float
    ends_at: float
    over: str
    journal: str
    cold: int


@dataclass(kw_only=True)
class Known:
    """What the threads of a process know: their paid charges, and how far accounts have come."""

    paid: list[Ask] = field(default_factory=list[Ask])
    done: list[Ask] = field(default_factory=list[Ask])
    seqs: dict[str, int] = field(default_factory=dict[str, int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, ask: Ask, told: Told) -> None:
        """The request was answered for certain."""
        members = told.members
        with self._lock:
            if ask.key is not None:
                self._keep(self.done, ask)
            if told.is_success and ask.kind == "deduct" and members.get("charged"):
                self._keep(self.paid, ask)
            if told.is_success and isinstance(members.get("seq"), int):
                seq = int(members["seq"])
                self.seqs[ask.account] = max(seq, self.seqs.get(ask.account, 0))

    @staticmethod
    def _keep(asks: list[Ask], ask: Ask) -> None:
        asks.append(ask)
        if len(asks) > KEPT:
            del asks[: KEPT // 2]

    def choose(self, random: Random, asks: list[Ask]) -> Ask | None:
        """One of the requests; none where there are none yet."""
        with self._lock:
            return random.choice(asks) if asks else None


class Desk:
    """One thread's place: its wishes, its connections, and the journal of its process."""

    def __init__(self, setup: Setup, number: int, *, journal: Journal, known: Known) -> None:
        self.setup = setup
        self.name = f"p{setup.process}t{number}"
        self.random = Random(f"{setup.seed} {self.name}")
        self.cast = Cast(cold=setup.cold)
        self.journal = journal
        self.known = known
        self._client, self._second, self._hasty = (
            Client(port=setup.port, key=setup.key, timeout_s=timeout_s)
            for timeout_s in (20.0, 20.0, HASTY_S)
        )
        self._pool = ThreadPoolExecutor(1)
        self._turn = 0

    def work(self) -> None:
        """Requests were sent until the storm's end."""
        acts = [act for act, weight in ACTS for _ in range(weight)]
        with self._pool:
            while not self._is_over():
                self._turn += 1
                self.random.choice(acts)(self)

    def _is_over(self) -> bool:
        return time.time() > self.setup.ends_at or Path(self.setup.over).exists()

    def new_id(self) -> str:
        """A name that no other request of the storm has; it is used as its key too."""
        return f"{self.name}-{self._turn}"

    def ask(self, ask: Ask, *, is_hasty: bool = False) -> Told | None:
        """The certain answer; None where the storm ended before there was one."""
        self.journal.note_ask(ask)
        return self._insist(ask, self._hasty if is_hasty else self._client)

    def ask_both(self, first: Ask, second: Ask) -> None:
        """Both requests are answered for certain; they were sent at the same time."""
        self.journal.note_ask(first)
        self.journal.note_ask(second)
        other = self._pool.submit(self._insist, second, self._second)
        self._insist(first, self._client)
        other.result()

    def _insist(self, ask: Ask, client: Client) -> Told | None:
        while True:
            told = try_once(client, ask)
            self.journal.note_told(ask, told)
            if told.is_certain:
                self.known.learn(ask, told)
                return told
            client = self._second if client is self._second else self._client
            if self._is_over():
                return None
            time.sleep(PAUSE_S * (0.5 + self.random.random()))

    def look(self) -> None:
        """An account was read as one that shows everything that was acknowledged before."""
        account = self.cast.choose(self.random)
        seq = self.known.seqs.get(account, 0)
        charge = self.known.choose(self.random, self.known.paid)
        try:
            look(self._client, account, since_seq=seq, charge=charge, random=self.random)
        except ReadError as error:
            self.journal.note_wrong(str(error))
        self.journal.note_read()

    def sweep(self) -> None:
        """The schedule was fired by hand, whatever came of it."""
        try_once(self._client, Ask(id="", kind="sweep", method="POST", path=SWEEP, account=""))


# ---- What a desk does, once each


def _deduct(desk: Desk) -> None:
    """A run is charged; now and then by a client that does not wait."""
    id_ = desk.new_id()
    ask = wishes.deduct(desk.random, desk.cast.choose(desk.random), id_, id_=id_)
    desk.ask(ask, is_hasty=desk.random.random() < 0.1)


def _deduct_shared(desk: Desk) -> None:
    """All processes ask for the same run at about the same time, or nearly for the same one.

    Shape: of four such runs two are the same for all; one is the same key with two bodies; one is
    the same key for two accounts, which are two runs.
    """
    number = int((time.time() - desk.setup.began_at) * SHARED_PER_S)
    random = Random(f"{desk.setup.seed} shared {number}")
    account, other = random.sample(desk.cast.accounts[:8], 2)
    key, id_ = f"shared-{number}", desk.new_id()
    is_odd = desk.setup.process % 2 == 1
    if number % 4 == 2:
        desk.ask(wishes.sms(account, key, 3 if is_odd else 1, id_=id_))
    elif number % 4 == 3:
        desk.ask(wishes.sms(other if is_odd else account, key, 1, id_=id_))
    else:
        desk.ask(wishes.deduct(random, account, key, id_=id_))


def _deduct_twice(desk: Desk) -> None:
    """The same run is sent twice at once, or with two bodies at once."""
    id_, account = desk.new_id(), desk.cast.choose(desk.random)
    first = wishes.deduct(desk.random, account, id_, id_=f"{id_}-a")
    second = replace(first, id=f"{id_}-b")
    if desk.random.random() < 0.2:
        second = wishes.sms(account, id_, 7, id_=f"{id_}-b")
    desk.ask_both(first, second)


def _again(desk: Desk) -> None:
    """Something of before is sent again, whatever came of it; or its key for another thing."""
    ask = desk.known.choose(desk.random, desk.known.done)
    if ask is None:
        return
    id_ = desk.new_id()
    if ask.kind == "deduct" and desk.random.random() < 0.3:
        assert ask.key is not None
        desk.ask(wishes.sms(ask.account, ask.key, 11, id_=id_))
    else:
        desk.ask(replace(ask, id=id_))


def _give_back(desk: Desk) -> None:
    """A charge is undone or given back, often by two at once."""
    charge = desk.known.choose(desk.random, desk.known.paid)
    if charge is None or charge.key is None:
        return
    id_, account = desk.new_id(), charge.account
    first = wishes.void(account, charge.key, id_, id_=id_)
    if desk.random.random() < 0.3:
        first = wishes.refund(desk.random, account, charge.key, id_, id_=id_)
    if desk.random.random() < 0.4:
        desk.ask_both(first, wishes.void(account, charge.key, f"{id_}-b", id_=f"{id_}-b"))
    else:
        desk.ask(first)


def _operate(desk: Desk) -> None:
    """An operator does something; now and then twice at once."""
    id_ = desk.new_id()
    ask = wishes.operate(desk.random, desk.cast.choose(desk.random), id_, id_=id_)
    if desk.random.random() < 0.3:
        desk.ask_both(ask, replace(ask, id=f"{id_}-b"))
    else:
        desk.ask(ask)


def _freeze(desk: Desk) -> None:
    """An account is frozen for a moment, while others charge it."""
    id_, account = desk.new_id(), desk.cast.choose(desk.random)
    for kind in ("freeze", "unfreeze"):
        desk.ask(wishes.stand(kind, account, f"{id_}-{kind}", id_=f"{id_}-{kind}"))


def _buy(desk: Desk) -> None:
    """A pack is bought, and Stripe sends what it sends."""
    id_ = desk.new_id()
    ask = wishes.checkout(desk.random, desk.cast.choose(desk.random), id_, id_=id_)
    told = desk.ask(ask, is_hasty=desk.random.random() < 0.2)
    if told is None or not told.is_success:
        return
    asks = wishes.events(desk.random, wishes.opened(ask, told.members), desk.setup.secret, id_=id_)
    for first, second in zip(asks[::2], [*asks[1::2], None], strict=False):
        if second is None:
            desk.ask(first)
        else:
            desk.ask_both(first, second)


def _trespass(desk: Desk) -> None:
    """Somebody tries to undo the charge of one account through another one."""
    charge = desk.known.choose(desk.random, desk.known.paid)
    other = desk.cast.choose(desk.random)
    if charge is None or charge.key is None or charge.key.startswith("shared"):
        return
    if charge.account != other:
        id_ = desk.new_id()
        ask = wishes.void(other, charge.key, id_, id_=id_)
        desk.ask(replace(ask, kind="trespass"))


ACTS: Sequence[tuple[Callable[[Desk], None], int]] = (
    (_deduct, 36),
    (_deduct_shared, 14),
    (_deduct_twice, 9),
    (_again, 8),
    (_give_back, 9),
    (_operate, 9),
    (_freeze, 1),
    (_buy, 3),
    (_trespass, 1),
    (Desk.look, 9),
    (Desk.sweep, 1),
)


def main(arguments: Sequence[str]) -> int:
    """The storm has ended, and everything stands in the journal."""
    members: dict[str, Any] = json.loads(arguments[0])
    setup = Setup(**members)
    journal = Journal(Path(setup.journal))
    known = Known()
    desks = [Desk(setup, n, journal=journal, known=known) for n in range(setup.threads)]
    failures: list[BaseException] = []

    def work(desk: Desk) -> None:
        try:
            desk.work()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
