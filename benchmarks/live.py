"""From a charge to the news of it on a socket, over `make run`'s gateway."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.report import Aim, Section, Table
from benchmarks.workload import RUN
from tests.e2e.running_gateway import Client, RunningGateway, new_dev_key
from tests.support.live_socket import LiveSocket

SOCKETS = (1, 50)
WANTED_S = 1.5


@dataclass(kw_only=True)
class Heard:
    """Of so many charges one after another: each one's own time, and until it was heard."""

    sockets: int
    deduct_s: list[float] = field(default_factory=list[float])
    heard_s: list[float] = field(default_factory=list[float])


def run(*, quick: bool) -> Section:
    """The delay of a push, beside the round trip of the charge that caused it."""
    charges = 20 if quick else 200
    found: list[Heard] = []
    with TemporaryDirectory(prefix="tollkeeper-bench-") as folder:
        gateway = RunningGateway(data=Path(folder), key=new_dev_key())
        try:
            gateway.start()
            for sockets in SOCKETS:
                found.append(_measure(gateway, sockets=sockets, charges=charges))
        finally:
            gateway.stop()
    worst_s = max(_late(heard) for heard in found)
    aim = Aim(
        what="a charge is heard on a socket: p99",
        wanted=f"<= {WANTED_S} s",
        found=f"{worst_s:.2f} s",
        is_met=worst_s <= WANTED_S,
        is_exact=False,
    )
    return Section(tables=[_table(found)], aims=[aim])


def _measure(gateway: RunningGateway, *, sockets: int, charges: int) -> Heard:
    """One account is charged; its socket hears it, with all others of other accounts open."""
    client = gateway.client()
    account = f"heard_{sockets}"
    grant = {"amount": 10**6, "reason": "to be spent"}
    path = f"/v1/accounts/{account}/grants"
    assert client.ask("POST", path, grant, idempotency_key="g1").status == 201
    others = [_listen(gateway, client, f"other_{number}") for number in range(sockets - 1)]
    heard, pauses = Heard(sockets=sockets), Random(sockets)
    with _listen(gateway, client, account) as socket:
        for number in range(charges + 1):
            # The stream is asked at an even pace; charges that keep step with it would all be
            # as late as one of them.
            time.sleep(pauses.random() * 0.2)
            began = time.perf_counter()
            body = {"account": account, **RUN}
            answer = client.ask("POST", "/v1/deduct", body, idempotency_key=f"k{number}")
            answered = time.perf_counter()
            assert answer.status == 200, answer.body
            while socket.news()["seq"] < answer.json["seq"]:
                pass
            if number:
                heard.deduct_s.append(answered - began)
                heard.heard_s.append(time.perf_counter() - began)
    for each in others:
        each.close()
    return heard


def _listen(gateway: RunningGateway, client: Client, account: str) -> LiveSocket:
    found = client.ask("GET", f"/v1/accounts/{account}/live").json
    socket = LiveSocket(found["url"], token=gateway.key, host=found["host"])
    socket.start()
    assert socket.subscribe(found["channel"])["type"] == "subscribe_success"
    return socket


def _late(heard: Heard) -> float:
    """All but one of a hundred were heard sooner."""
    return sorted(heard.heard_s)[int(len(heard.heard_s) * 0.99)]


def _table(found: list[Heard]) -> Table:
    table = Table(
        title="Live updates",
        columns=("sockets open", "deduct p50 ms", "heard p50 ms", "heard p99 ms", "ratio"),
        notes=[
            "From the beginning of a charge until its news is read from a socket: engine, stream, "
            "live function, gateway and socket of one machine. The stream is asked every 100 ms, "
            "which is a part of it. It says nothing of AWS.",
            "Ratio: of the medians, to the charge's own round trip.",
        ],
    )
    for heard in found:
        deduct, median = (statistics.median(each) for each in (heard.deduct_s, heard.heard_s))
        table.add(
            str(heard.sockets),
            f"{deduct * 1000:.1f}",
            f"{median * 1000:.0f}",
            f"{_late(heard) * 1000:.0f}",
            f"{median / deduct:.1f}",
        )
    return table
