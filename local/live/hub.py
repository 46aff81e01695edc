"""Who listens to which channel, and how a text gets there."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Protocol

MOST_SOCKETS = 256
MOST_SUBSCRIPTIONS = 100
"""Of one socket, as at AWS."""


class Listener(Protocol):
    """One socket."""

    def tell(self, subscription: str, text: str) -> None:
        """The socket was sent the text, or it is closed: nobody waits for a slow reader."""
        ...


class Hub:
    """The sockets that are open, by channel. Thread-safe."""

    def __init__(self, *, most: int = MOST_SOCKETS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._subscriptions: dict[Listener, dict[str, str]] = {}
        self._listeners: dict[str, set[Listener]] = defaultdict(set)

    def enter(self, listener: Listener) -> bool:
        """The socket is known; false where there are too many."""
        with self._lock:
            if len(self._subscriptions) >= self._most:
                return False
            self._subscriptions[listener] = {}
            return True

    def leave(self, listener: Listener) -> None:
        """The socket hears nothing more."""
        with self._lock:
            for channel in self._subscriptions.pop(listener, {}).values():
                self._forget(channel, listener)

    def subscribe(self, listener: Listener, subscription: str, channel: str) -> bool:
        """The socket hears the channel by that id; false where it has that id or many."""
        with self._lock:
            mine = self._subscriptions.get(listener)
            if mine is None or subscription in mine or len(mine) >= MOST_SUBSCRIPTIONS:
                return False
            mine[subscription] = channel
            self._listeners[channel].add(listener)
            return True

    def unsubscribe(self, listener: Listener, subscription: str) -> bool:
        """The socket no longer hears by that id; false where it did not."""
        with self._lock:
            channel = self._subscriptions.get(listener, {}).pop(subscription, None)
            if channel is None:
                return False
            if channel not in self._subscriptions[listener].values():
                self._forget(channel, listener)
            return True

    def publish(self, channel: str, text: str) -> int:
        """Every subscription of the channel was told; the answer is how many there are."""
        with self._lock:
            told = [
                (listener, subscription)
                for listener in self._listeners.get(channel, ())
                for subscription, heard in self._subscriptions[listener].items()
                if heard == channel
            ]
        # Outside the lock: a socket that cannot be written to leaves, and needs it.
        for listener, subscription in told:
            listener.tell(subscription, text)
        return len(told)

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        with self._lock:
            return len(self._subscriptions)

    def _forget(self, channel: str, listener: Listener) -> None:
        self._listeners[channel].discard(listener)
        if not self._listeners[channel]:
            del self._listeners[channel]
