"""A storm over sockets: client processes, one real system, kill -9, and then the accounts.

`make storm-socket SECONDS=300` runs one for some minutes and writes down what it came to. When a
verdict is found, the folder with the journals and the database is kept and named.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from typing import TypeVar

from local.engine import dynoxide, ministack
from simulation.evidence import commit_of
from tests.e2e.running_gateway import Client, RunningGateway, new_dev_key, wait_until
from tests.e2e.socket_audit import audit_table
from tests.e2e.socket_clients import SWEEP, Setup
from tests.e2e.socket_evidence import append_evidence, show_report
from tests.e2e.socket_journal import Ask, Heard, Journal, Records, Told, read_journals, try_once
from tests.e2e.socket_reading import Seen, micro, parse, read_whole
from tests.e2e.socket_trouble import (
    CLIENT,
    ENGINE,
    ENGINE_HANGS,
    GATEWAY,
    GATEWAY_STARTING,
    Clients,
    Trouble,
)
from tests.e2e.socket_verdicts import Keys, judge_all, opened_purchases
from tests.e2e.socket_wishes import Cast, top_up

SECRET = "whsec_storm_over_sockets"
LONGEST_DELAY_S = 240
DRAINERS = 6
DRAIN_S = 60.0
SOON_S = 60
SETTLE_S = SOON_S + 30.0
FUNDS = {"hot_0": 200_000, "hot_1": 40, "hot_3": 200_000}

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large a storm is: so many seconds, and longer where less was answered than that.

    Shape: `engine` is dynoxide, or ministack, which nobody may kill.
    """

    engine: str
    seed: int
    seconds: float
    processes: int = 3
    threads: int = 4
    cold: int = 60
    answers_least: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """What may go wrong. Why: ministack loses what was written when it is killed itself."""
        if self.engine == "ministack":
            return (GATEWAY, CLIENT)
        return (GATEWAY, GATEWAY_STARTING, ENGINE, ENGINE_HANGS, CLIENT)


@dataclass(kw_only=True)
class Report:
    """What a storm came to.

    Shape: `tries` are by their status, 0 where no answer came; `unheard` are the acknowledged keys
    that were applied by a try whose answer got lost.
    """

    plan: Plan
    requests: int = 0
    reads: int = 0
    tries: Counter[int] = field(default_factory=Counter[int])
    keys_acknowledged: int = 0
    charges_acknowledged: int = 0
    unheard: int = 0
    purchases_paid: int = 0
    rows: int = 0
    accounts: int = 0
    drained: int = 0
    replays: int = 0
    audited_entries: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    violations: list[str] = field(default_factory=list[str])


class Storm:
    """One storm in a folder of its own: `run` it, or take its steps."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.report = Report(plan=plan)
        self.cast = Cast(cold=plan.cold)
        self.gateway = RunningGateway(
            data=folder / "data",
            key=new_dev_key(),
            environment={"STRIPE_WEBHOOK_SECRET": SECRET, "TOLLKEEPER_ENGINE": plan.engine},
            arguments=("--ends-with-parent",),
        )

    def run(self) -> Report:
        """The storm is over, everything was judged, and no process of it is left."""
        try:
            self.gateway.start()
            self._fund()
            self._rage()
            records = read_journals(self.folder.glob("*.jsonl"))
            self._drain(records)
            # What is still under way in the gateway ends with it; so nothing is in flight below.
            assert self.gateway.restart() > 0
            self._settle()
            self._judge(records)
        finally:
            self.gateway.stop()
        return self.report

    def _fund(self) -> None:
        """Some of the hot accounts can pay for everything, one for a few things."""
        journal = Journal(self.folder / "funds.jsonl")
        for account, amount in FUNDS.items():
            ask = top_up(account, f"funds-{account}", amount, id_=f"funds-{account}")
            journal.note_ask(ask)
            told = self._try(ask)
            journal.note_told(ask, told)
            assert told.status == 201, told
        journal.close()

    def _rage(self) -> None:
        """Clients sent requests until the storm's end, and things went wrong meanwhile."""
        began_at = time.time()
        setup = Setup(
            port=self.gateway.port,
            key=self.gateway.key,
            secret=SECRET,
            seed=self.plan.seed,
            process=0,
            threads=self.plan.threads,
            began_at=began_at,
            ends_at=began_at + self.plan.seconds + LONGEST_DELAY_S,
            over=str(self.folder / "over"),
            journal="",
            cold=self.plan.cold,
        )
        clients = Clients(setup=setup, folder=str(self.folder), count=self.plan.processes)
        trouble = Trouble(
            gateway=self.gateway,
            clients=clients,
            random=Random(f"{self.plan.seed} trouble"),
            kinds=self.plan.kinds,
            counts=self.report.faults,
        )
        try:
            clients.start()
            trouble.make_until(began_at + self.plan.seconds, answers_least=self.plan.answers_least)
            assert set(clients.join()) == {0}, (self.folder / "clients.log").read_text()
        finally:
            clients.stop()

    def _try(self, ask: Ask) -> Told:
        client = Client(port=self.gateway.port, key=self.gateway.key)
        try:
            return try_once(client, ask)
        finally:
            client.close()

    def _side_by_side(self, act: Callable[[Client, Item], Result], of: list[Item]) -> list[Result]:
        """What the act made of each, by some clients at a time."""

        def work(items: list[Item]) -> list[Result]:
            client = Client(port=self.gateway.port, key=self.gateway.key)
            try:
                return [act(client, item) for item in items]
            finally:
                client.close()

        with ThreadPoolExecutor(DRAINERS) as pool:
            parts = pool.map(work, [of[number::DRAINERS] for number in range(DRAINERS)])
            return [result for part in parts for result in part]

    def _drain(self, records: Records) -> None:
        """Every request has a certain answer."""
        wait_until(self.gateway.is_ready, timeout_s=SETTLE_S, what="the gateway")
        open_ = [heard for heard in records.heard.values() if heard.answer is None]
        ends = time.monotonic() + DRAIN_S

        def insist(client: Client, heard: Heard) -> None:
            while heard.answer is None and time.monotonic() < ends:
                heard.tries.append(try_once(client, heard.ask))
                if heard.answer is None:
                    time.sleep(0.1)

        self._side_by_side(insist, open_)
        self.report.drained = len(open_)

    def _settle(self) -> None:
        """What began or ended with time is in the ledgers."""
        ask = Ask(id="", kind="sweep", method="POST", path=SWEEP, account="")

        def is_settled() -> bool:
            if any(self._side_by_side(has_soon, list(self.cast.accounts))):
                return False
            swept = self._try(ask).members
            return (swept.get("rolled"), swept.get("is_finished")) == (0, True)

        wait_until(is_settled, timeout_s=SETTLE_S, what="the sweep's end")

    def _status_of(self, purchase: str) -> str:
        """Where the purchase stands, or that there is none."""
        path = f"/v1/purchases/{purchase}"
        told = self._try(Ask(id="", kind="read", method="GET", path=path, account=""))
        return str(told.members.get("status")) if told.is_success else "lost"

    def _judge(self, records: Records) -> None:
        """The report has the counts, and every verdict."""
        report = self.report
        ledgers = self._read_ledgers()
        statuses = {purchase: self._status_of(purchase) for purchase in opened_purchases(records)}
        report.violations += judge_all(records, ledgers, statuses)
        report.violations += self._verify_by_route()
        report.violations += self._replay(Keys.of(records))
        report.violations += self._compare(ledgers, "after every key was sent again")
        audited = audit_table(self.gateway, set(self.cast.accounts))
        report.violations += audited.violations
        rows = sum(len(seen.rows) for seen in ledgers.values())
        if audited.entries != rows:
            report.violations.append(f"audit: {audited.entries} entries were audited, not {rows}")
        report.audited_entries = audited.entries
        self.gateway.kill9()
        self.gateway.start()
        report.violations += self._compare(ledgers, "after a last kill -9")
        self._count(records, ledgers, statuses)

    def _read_ledgers(self) -> dict[str, Seen]:
        seen = self._side_by_side(read_whole, list(self.cast.accounts))
        return {each.account: each for each in seen}

    def _verify_by_route(self) -> list[str]:
        """What the product's own verification finds."""

        def verify(client: Client, account: str) -> str:
            reply = client.ask("GET", f"/v1/verify/{account}")
            if reply.status == 404 or (reply.status == 200 and parse(reply)["is_clean"]):
                return ""
            return f"verify {account}: {reply.status} {reply.body.decode()[:1000]}"

        return [found for found in self._side_by_side(verify, list(self.cast.accounts)) if found]

    def _replay(self, keys: Keys) -> list[str]:
        """What is answered otherwise when every acknowledged request is sent once more."""
        jobs = [
            (next(h.ask for h in asked if h.answer == done[0]), done[0])
            for _, asked, done in keys.applied()
        ]

        def replay(client: Client, job: tuple[Ask, Told]) -> str:
            ask, before = job
            told = try_once(client, ask)
            if told == replace(before, was_replayed=True, text=told.text) and (
                told.members == before.members
            ):
                return ""
            return f"I7: {ask.id} is answered {told} once more, and was {before}"

        self.report.replays = len(jobs)
        return [found for found in self._side_by_side(replay, jobs) if found]

    def _compare(self, ledgers: dict[str, Seen], when: str) -> list[str]:
        """The accounts whose balance or number of rows is another one now."""

        def differ(client: Client, account: str) -> str:
            shown = parse(client.ask("GET", f"/v1/accounts/{account}"))
            before = ledgers[account]
            if (shown["seq"], micro(shown["available"])) == (before.seq, before.available):
                return ""
            return f"I5: {when}: {account} is {shown}, and was {before.available}"

        return [found for found in self._side_by_side(differ, list(ledgers)) if found]

    def _count(self, records: Records, ledgers: dict[str, Seen], statuses: dict[str, str]) -> None:
        report = self.report
        applied = list(Keys.of(records).applied())
        report.requests = len(records.heard)
        report.reads = records.reads
        report.tries.update(told.status for h in records.heard.values() for told in h.tries)
        report.keys_acknowledged = len(applied)
        report.charges_acknowledged = sum(
            asked[0].ask.kind == "deduct" and "charged" in done[0].members
            for _, asked, done in applied
        )
        report.unheard = sum(all(told.was_replayed for told in done) for *_, done in applied)
        report.purchases_paid = sum(status == "paid" for status in statuses.values())
        report.accounts = sum(bool(seen.rows) for seen in ledgers.values())
        report.rows = sum(len(seen.rows) for seen in ledgers.values())


def has_soon(client: Client, account: str) -> bool:
    """A grant of the account, perhaps its plan's own, ends by itself while it would be judged."""
    shown = parse(client.ask("GET", f"/v1/accounts/{account}"))
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + SOON_S))
    ends = (grant["expires_at"] for grant in shown["grants"])
    return any(end is not None and str(end) < soon for end in ends)


def main(arguments: Sequence[str]) -> int:
    """The storm was run; the exit status says whether everything holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.socket_storm", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--engine", choices=("dynoxide", "ministack"), default=None)
    parser.add_argument("--evidence", type=Path)
    given = parser.parse_args(arguments)
    engine = given.engine or ("dynoxide" if dynoxide(data=Path(), port=1) else "ministack")
    assert engine == "dynoxide" or ministack(data=Path(), port=1), "`make run` installs an engine"
    plan = Plan(
        engine=engine,
        seed=given.seed,
        seconds=given.seconds,
        processes=given.processes,
        threads=given.threads,
        cold=200,
    )
    folder = Path(mkdtemp(prefix="tollkeeper-storm-"))
    began_on = commit_of() if given.evidence is not None else ""
    report = Storm(plan, folder).run()
    sys.stdout.write(show_report(report))
    for violation in report.violations:
        sys.stdout.write(f"{violation}\n")
    if report.violations:
        sys.stdout.write(f"kept: {folder}\n")
    else:
        rmtree(folder)
    if given.evidence is not None:
        append_evidence(given.evidence, report, began_on=began_on)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
