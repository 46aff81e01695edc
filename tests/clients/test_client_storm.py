"""Many runs under drawn faults: afterwards every run is charged exactly what it owes, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.clients.answers_of_providers import anthropic_events
from tests.clients.lossy_proxy import LossyProxy
from tests.clients.virtual_time import virtual
from tests.e2e.running_gateway import RunningGateway
from tollkeeper_client import FailOpen, MeteredRun, Tollkeeper, UnavailableError

pytestmark = pytest.mark.e2e
NewAccount = Callable[[], str]
START = {"input_tokens": 10, "output_tokens": 1}


class GivenUpError(Exception):
    """The function's own failure."""


class Storm:
    """Runs of one account, and what they owe."""

    def __init__(self, client: Tollkeeper, account: str, proxy: LossyProxy, seed: int) -> None:
        self.client = client
        self.account = account
        self.proxy = proxy
        self.drawn = random.Random(seed)
        self.owed = Decimal(0)
        self.faults = 0

    def trouble(self) -> None:
        """Perhaps answers or requests get lost from now on, a few or all."""
        count = self.drawn.choice((0, 0, 0, 1, 2, 100))
        self.faults += count > 0
        self.drawn.choice((self.proxy.lose_answers, self.proxy.lose_requests))(count)

    def calm(self) -> None:
        """Nothing gets lost any more."""
        self.proxy.lose_answers(0)
        self.proxy.lose_requests(0)

    def run(self) -> None:
        """One run, whatever becomes of it."""
        self.trouble()
        try:
            with self.client.meter(self.account, "ai_tokens", model="gpt-3.5", estimate=1) as run:
                self.drawn.choice((self.answer, self.stream, self.leave, self.fail))(run)
                self.trouble()
        except (GivenUpError, UnavailableError):
            self.trouble()
        self.calm()
        if self.drawn.random() < 0.3:
            self.client.recover()

    def answer(self, run: MeteredRun) -> None:
        """Two answers."""
        run.note({"id": "a", "usage": {"prompt_tokens": 20}})
        run.note({"id": "b", "usage": {"prompt_tokens": 30}})
        self.owed += 50

    def stream(self, run: MeteredRun) -> None:
        """A whole stream."""
        for _ in run.watch(anthropic_events(START, {"output_tokens": 90})):
            pass
        self.owed += 100

    def leave(self, run: MeteredRun) -> None:
        """A stream that dies after its first report."""
        self.owed += 11
        for _ in run.watch(anthropic_events(START, {"output_tokens": 90})):
            raise GivenUpError

    def fail(self, _: MeteredRun) -> None:
        """A failure before anything was used."""
        raise GivenUpError


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_a_storm_every_run_is_charged_once_and_nothing_stays_held(
    gateway: RunningGateway, proxy: LossyProxy, new_account: NewAccount, journal: Path, seed: int
) -> None:
    account = new_account()
    bounds = FailOpen(runs=50, credits=Decimal(50), credits_per_run=Decimal(1))
    fail_open = bounds if seed % 2 else None
    with Tollkeeper(
        proxy.url, gateway.key, journal=journal, fail_open=fail_open, surroundings=virtual()
    ) as client:
        storm = Storm(client, account, proxy, seed)
        for _ in range(25):
            storm.run()
        recovered = client.recover()

        assert storm.faults > 10
        assert (recovered.waiting, recovered.refused) == (0, ())
        assert client.account(account).holds == ()
        assert client.account(account).totals["spent"] == storm.owed * 2 / 1000
    verdict = gateway.client().ask("GET", f"/v1/verify/{account}").json
    assert (verdict["is_clean"], verdict["unexplained"]) == (True, 0)


CALLER = """
import sys
from tollkeeper_client import Tollkeeper
url, key, journal, account = sys.argv[1:5]
client = Tollkeeper(url, key, journal=journal)
while True:
    with client.meter(account, "ai_tokens", model="gpt-3.5", estimate=1) as run:
        run.note({"input": 10})
    sys.stdout.write(run.id + "\\n")
    sys.stdout.flush()
"""


def test_a_caller_that_is_killed_at_any_moment_owes_what_it_ran(
    gateway: RunningGateway, new_account: NewAccount, journal: Path
) -> None:
    account = new_account()
    ended: list[str] = []
    for kill in range(4):
        caller = subprocess.Popen(
            [sys.executable, "-c", CALLER, gateway.url, gateway.key, str(journal), account],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert caller.stdout is not None
        ended.append(caller.stdout.readline().strip())
        time.sleep(0.037 * kill)
        caller.send_signal(signal.SIGKILL)
        ended += caller.stdout.read().split()
        caller.stdout.close()
        caller.wait()

    with Tollkeeper(gateway.url, gateway.key, journal=journal) as client:
        assert client.recover().waiting == 0
        rows = client.entries(account, limit=200).entries
        settled = {row.key.split("~")[1] for row in rows if row.kind == "settle"}
        assert set(ended) <= settled
        # What was killed before it knew its usage is free, and its hold expires by itself.
        seen = client.account(account)
        assert len(seen.holds) <= 4
        assert seen.totals["spent"] == len(settled) * Decimal("0.02")
