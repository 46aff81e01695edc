"""Check and deduct over HTTP: `make run`'s gateway, and clients that stay connected to it."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load import Ask, Load, drive, shown_busy, shown_latencies
from benchmarks.report import Section, Table, ratio, spread
from benchmarks.workload import RUN
from tests.e2e.running_gateway import Client, RunningGateway, new_dev_key

CLIENTS = (1, 8, 32)
HEALTH = "GET /healthz"
CHECK = "check, an account each"
DEDUCT = "deduct, an account each"
HOT = "deduct, one account"
WHATS = (HEALTH, CHECK, DEDUCT, HOT)


@dataclass(kw_only=True)
class Measured:
    """What so many clients got, a load per round."""

    clients: int
    what: str
    loads: list[Load] = field(default_factory=list[Load])


class Clients:
    """Kept-alive connections to one gateway, and the accounts they charge."""

    def __init__(self, gateway: RunningGateway) -> None:
        self._clients = [gateway.client() for _ in range(max(CLIENTS))]
        self._keys = itertools.count()
        for account in ("hot", *[f"own_{number}" for number in range(max(CLIENTS))]):
            self._fund(account)

    def measure(self, measured: Measured, *, seconds: float) -> None:
        """One more round."""
        workers = [
            self._worker(client, f"own_{number}", measured.what)
            for number, client in enumerate(self._clients[: measured.clients])
        ]
        measured.loads.append(drive(workers, seconds=seconds))

    def _worker(self, client: Client, account: str, what: str) -> Ask:
        prefix = next(self._keys)
        body = {"account": "hot" if what == HOT else account, **RUN}

        def ask(number: int) -> int:
            if what == HEALTH:
                return client.ask("GET", "/healthz").status
            if what == CHECK:
                return client.ask("POST", "/v1/check", body).status
            key = f"{prefix}_{number}"
            return client.ask("POST", "/v1/deduct", body, idempotency_key=key).status

        return ask

    def _fund(self, account: str) -> None:
        grant = {"amount": 10**8, "reason": "to be spent"}
        path = f"/v1/accounts/{account}/grants"
        reply = self._clients[0].ask("POST", path, grant, idempotency_key="g1")
        assert reply.status == 201, reply.body


@contextmanager
def _gateway() -> Generator[RunningGateway]:
    """`make run`'s gateway on a free port, with data of its own on this machine's disk."""
    with TemporaryDirectory(prefix="tollkeeper-bench-") as folder:
        gateway = RunningGateway(data=Path(folder), key=new_dev_key())
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.stop()


def run(*, quick: bool) -> Section:
    """Latency and requests a second by the number of clients, beside the gateway's own answer."""
    found = [Measured(clients=clients, what=what) for clients in CLIENTS for what in WHATS]
    with _gateway() as gateway:
        clients = Clients(gateway)
        for measured in found:
            clients.measure(Measured(clients=measured.clients, what=measured.what), seconds=0.3)
        for _ in range(2 if quick else 5):
            for measured in found:
                clients.measure(measured, seconds=0.5 if quick else 2.0)
    return Section(tables=[_table(found)])


def _table(found: list[Measured]) -> Table:
    table = Table(
        title="Over HTTP",
        columns=(
            "clients",
            "request",
            "p50 ms",
            "p99 ms",
            "requests/s min",
            "median",
            "max",
            "503 %",
            "ratio",
        ),
        notes=[
            "`make run`'s gateway and engine on this machine, its data on disk; the clients are "
            "threads of one process on the same cores. It says what one machine does, not AWS.",
            "Ratio: of requests a second, to the gateway's own /healthz in the same round.",
        ],
    )
    health: list[float] = []
    for measured in found:
        done = [load.done_per_s for load in measured.loads]
        health = done if measured.what == HEALTH else health
        table.add(
            str(measured.clients),
            measured.what,
            *shown_latencies(measured.loads),
            *spread(done),
            shown_busy(measured.loads),
            f"{ratio(done, health):.2f}",
        )
    return table
