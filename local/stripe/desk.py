"""The simulated Stripe of one gateway: its state and queue, kept in a file, and who may use them.

Every request and every button goes through here, one at a time; what they change is in the file
before they are answered. A thread delivers the events for as long as the gateway runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from local.stripe import api, checkout
from local.stripe.deliveries import Manner, Post, Queue, deliver_due
from local.stripe.keeping import Keeper
from local.stripe.state import ANSWER, PRICE, SESSION, Object, StripeState

KEY = "sk_test_local"
FILE = "stripe.db"
KEPT_OBJECTS = 1_000
KEPT_ANSWERS = 1_000
KEPT_EVENTS = 200
PATIENCE_S = 5.0
TICK_S = 0.5

Result = TypeVar("Result")


class Desk:
    """The one place that changes the state. `path` None keeps nothing on disk."""

    def __init__(
        self,
        *,
        page_url: str,
        secret: str,
        path: Path | None = None,
        log: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._log = log
        self._clock = clock
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._post: Post | None = None
        self._keeper = Keeper(path, log=log)
        self.state, self.queue = self._keeper.load()
        self.state.page_url = page_url

    def now(self) -> int:
        """Whole seconds since 1970."""
        return int(self._clock())

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> api.Reply:
        """The API's answer; what it changed is kept, and its events are under way."""

        def ask(state: StripeState, now: int) -> api.Reply:
            return api.respond(state, now, method=method, target=target, headers=headers, body=body)

        if method == "GET":
            with self._lock:
                return ask(self.state, self.now())
        return self.change(ask)

    def change(self, action: Callable[[StripeState, int], Result]) -> Result:
        """What the action answers; its changes are kept and its events are under way."""
        with self._lock:
            now = self.now()
            try:
                return action(self.state, now)
            finally:
                self.queue.add(self.state.events, now)
                self.state.events.clear()
                self._save()
                self._wake.notify_all()

    def read(self, look: Callable[[StripeState, Queue], Result]) -> Result:
        """What the look saw, with nothing changing meanwhile."""
        with self._lock:
            return look(self.state, self.queue)

    def set_manner(self, manner: Manner) -> None:
        """From now on events are sent in this manner."""
        with self._lock:
            self.queue.manner = manner
            self._save()

    def start(self, post: Post) -> None:
        """Events are delivered from now on, those of an earlier run first."""
        self._post = post
        self._thread = threading.Thread(target=self._run, name="stripe", daemon=True)
        self._thread.start()

    def stop(self, *, grace_s: float = 2.0) -> None:
        """No event is sent any more; what was not delivered is kept."""
        with self._lock:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(grace_s)
        with self._lock:
            self._keeper.close()

    def settle(self, *, patience_s: float = PATIENCE_S) -> bool:
        """True where nothing is due any more; False where the patience ended before."""
        ends = time.monotonic() + patience_s
        with self._lock:
            while self._is_busy() and time.monotonic() < ends:
                self._wake.wait(0.05)
            return not self._is_busy()

    def _is_busy(self) -> bool:
        """Something is due that was never sent: what failed is waited for by nobody."""
        now = self.now()
        return any(each.tries == 0 for each in self.queue.due(now))

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopping:
                    return
                self._expire()
                if not self.queue.due(self.now()):
                    self._wake.wait(TICK_S)
                    continue
            try:
                self._deliver()
            except Exception as error:  # noqa: BLE001 - the thread outlives one bad delivery
                self._log(f"the simulated Stripe cannot deliver: {type(error).__name__}: {error}")
                time.sleep(TICK_S)

    def _deliver(self) -> None:
        """What is due is sent, without the lock: the endpoint may call the API meanwhile."""
        assert self._post is not None, "the thread runs with an endpoint"
        with self._lock:
            due = Queue(
                entries=self.queue.due(self.now())[:20],
                manner=self.queue.manner,
            )
        deliver_due(due, self._post, secret=self._secret, now=self.now())
        with self._lock:
            self.queue.touched |= due.touched
            for each in due.entries:
                if not 200 <= each.status < 300:
                    self._log(f"stripe event {each.event['type']} was answered {each.status}")
            self._save()
            self._wake.notify_all()

    def _expire(self) -> None:
        """Pages whose day is over have expired."""
        now = self.now()
        due = [
            str(each["id"])
            for each in self.state.all_of(SESSION).values()
            if each["status"] == "open" and now >= int(each["expires_at"])
        ]
        for id_ in due:
            checkout.expire_if_due(self.state, self.state.find(SESSION, id_), now)
        if self.state.events:
            self.change(lambda _state, _now: None)

    def _save(self) -> None:
        """The file holds what is in memory; the oldest of very many objects are let go."""
        self.queue.forget(KEPT_EVENTS)
        for kind, objects in self.state.objects.items():
            spared = {PRICE: "active", SESSION: "subscription"}.get(kind, "")
            gone = _trim(objects, KEPT_OBJECTS, spared=spared)
            self.state.touched.update((kind, id_) for id_ in gone)
        gone = _trim(self.state.answers, KEPT_ANSWERS)
        self.state.touched.update((ANSWER, id_) for id_ in gone)
        self._keeper.save(self.state, self.queue)


def _trim(kept: dict[str, Object], most: int, *, spared: str = "") -> list[str]:
    """The ids of what is there no more: the oldest beyond so many, without the spared member."""
    if len(kept) <= most:
        return []
    gone = [id_ for id_ in list(kept)[: len(kept) - most] if not kept[id_].get(spared)]
    for id_ in gone:
        del kept[id_]
    return gone
