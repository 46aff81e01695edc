"""What goes wrong in a storm over sockets: processes end without a word, or hang for a while."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from local.engine import process_identity
from tests.e2e.running_gateway import ROOT, RunningGateway, is_running
from tests.e2e.socket_clients import Setup

GATEWAY = "kill -9 of the gateway"
GATEWAY_STARTING = "kill -9 of a gateway that is starting"
ENGINE = "kill -9 of the engine"
ENGINE_HANGS = "the engine hangs for longer than a request waits"
CLIENT = "kill -9 of a client process"
# Why: a gateway takes seconds to come back, in which nothing else can go wrong.
WEIGHTS = {GATEWAY: 2, GATEWAY_STARTING: 1, ENGINE: 4, ENGINE_HANGS: 2, CLIENT: 2}
GAP_S = (1.0, 4.0)
HANG_S = (2.3, 3.5)
CLIENT_END_S = 45.0


@dataclass(kw_only=True)
class Clients:
    """The client processes of a storm. One that is killed is followed by another one."""

    setup: Setup
    folder: str
    count: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    _made: int = 0

    def start_one(self) -> None:
        """One more process sends requests, under names of its own."""
        number, self._made = self._made, self._made + 1
        members = {"process": number, "journal": f"{self.folder}/client-{number:04d}.jsonl"}
        setup = json.dumps({**asdict(self.setup), **members})
        command = [sys.executable, "-m", "tests.e2e.socket_clients", setup]
        with open(f"{self.folder}/clients.log", "ab") as output:  # noqa: PTH123 - a text, not a path
            self.running.append(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )

    def start(self) -> None:
        """As many as there should be send requests."""
        while len(self.running) < self.count:
            self.start_one()

    def kill_one(self, random: Random) -> None:
        """One of them is gone in the middle of what it did, and another one is there."""
        victim = self.running.pop(random.randrange(len(self.running)))
        assert victim.poll() is None, "a client ended by itself"
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
        self.start_one()

    def join(self) -> list[int]:
        """The storm is over; the answer is the exit statuses of those that came to its end."""
        Path(self.setup.over).touch()
        return [process.wait(CLIENT_END_S) for process in self.running]

    def have_done(self, answers_least: int) -> bool:
        """So many requests were answered with 200, or there is no time left for more."""
        journals = Path(self.folder).glob("client-*.jsonl")
        answers = sum(journal.read_bytes().count(b'"status": 200') for journal in journals)
        return answers >= answers_least or time.time() > self.setup.ends_at - CLIENT_END_S

    def stop(self) -> None:
        """None of them runs any more, whatever happened."""
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass(kw_only=True)
class Trouble:
    """Faults after pauses that follow from the seed, and how many there were of each."""

    gateway: RunningGateway
    clients: Clients
    random: Random
    kinds: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter[str])

    def make_until(self, ends_at: float, *, answers_least: int) -> None:
        """Each kind was made once, in some order, then any of them; and enough was answered.

        Why: on a busy machine a gateway takes long to come back, and a storm in which little was
        asked says little; so the clients go on for a while when nothing goes wrong any more.
        """
        first = self.random.sample(self.kinds, len(self.kinds))
        while first or time.time() < ends_at:
            time.sleep(self.random.uniform(*GAP_S))
            assert time.time() < self.clients.setup.ends_at, f"never came to {first}"
            kind = first[-1] if first else self._choose()
            if MAKERS[kind](self):
                self.counts[kind] += 1
                del first[-1:]
        while not self.clients.have_done(answers_least):
            time.sleep(0.2)

    def _choose(self) -> str:
        weights = [WEIGHTS[kind] for kind in self.kinds]
        return self.random.choices(self.kinds, weights)[0]

    def kill_gateway(self) -> bool:
        """The gateway ended without a word, and another one serves the same data."""
        self.gateway.kill9()
        self.gateway.start()
        return True

    def kill_starting_gateway(self) -> bool:
        """One gateway ended without a word, the next one before it served, the third serves."""
        self.gateway.kill9()
        self.gateway.launch()
        time.sleep(self.random.uniform(0.1, 1.5))
        self.gateway.kill9()
        self.gateway.start()
        return True

    def kill_engine(self) -> bool:
        """The engine ended without a word; the gateway has to notice."""
        return self._signal_engine(signal.SIGKILL)

    def hang_engine(self) -> bool:
        """The engine did nothing for a while, and then what was asked of it meanwhile."""
        if not self._signal_engine(signal.SIGSTOP):
            return False
        try:
            time.sleep(self.random.uniform(*HANG_S))
        finally:
            self._signal_engine(signal.SIGCONT)
        return True

    def kill_client(self) -> bool:
        """A client process ended without a word."""
        self.clients.kill_one(self.random)
        return True

    def _signal_engine(self, number: signal.Signals) -> bool:
        """Whether the engine that the pid file names was there to get the signal."""
        try:
            pid = self.gateway.engine_pid
        except (OSError, ValueError):
            return False
        noted = json.loads((self.gateway.data / "engine.json").read_text(encoding="utf-8"))
        if not is_running(pid) or process_identity(pid) != noted["identity"]:
            return False
        os.kill(pid, number)
        return True


MAKERS: dict[str, Callable[[Trouble], bool]] = {
    GATEWAY: Trouble.kill_gateway,
    GATEWAY_STARTING: Trouble.kill_starting_gateway,
    ENGINE: Trouble.kill_engine,
    ENGINE_HANGS: Trouble.hang_engine,
    CLIENT: Trouble.kill_client,
}
