"""Our publisher, and a client of our tests, against an event API that others wrote.

Skips where the emulator is not installed; with npm on the machine nothing else needs it.
"""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from local.engine import ROOT, free_port
from tests.e2e.running_gateway import wait_until
from tests.support.live_socket import LiveSocket
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.live import NAMESPACE, channels_at
from tollkeeper.edge.event_api import EventApi
from tollkeeper.store.client import new_session

pytestmark = pytest.mark.e2e

EMULATOR = ROOT / ".venv-ministack" / "bin" / "ministack"
NEWS = '{"available":98.5,"seq":7,"kind":"charge"}'


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """One event API: its port, and the names by which the emulator tells APIs apart."""

    port: int
    http: str
    realtime: str

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/event/realtime"


def make_event_api(port: int) -> Emulated:
    """An event API with our namespace, open to an API key."""
    make = cast("Callable[..., Any]", boto3.client)  # pyright: ignore[reportUnknownMemberType]
    client = make("appsync", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    by_key = [{"authType": "API_KEY"}]
    config = {"authProviders": by_key, "connectionAuthModes": by_key}
    config |= {"defaultPublishAuthModes": by_key, "defaultSubscribeAuthModes": by_key}
    made = client.create_api(name="live", eventConfig=config)["api"]
    client.create_channel_namespace(apiId=made["apiId"], name=NAMESPACE)
    return Emulated(port=port, http=made["dns"]["HTTP"], realtime=made["dns"]["REALTIME"])


@pytest.fixture
def emulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Emulated]:
    """The emulator runs, with one event API."""
    if not EMULATOR.exists():
        pytest.skip("the emulator is not installed")
    port = free_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings = {"GATEWAY_PORT": str(port), "APPSYNC_EVENTS_KA_INTERVAL_SECS": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(EMULATOR)], env={**os.environ, **settings}, stdout=log, stderr=log, cwd=tmp_path
        )

        def is_ready() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health"):
                    return True
            except OSError:
                return False

        try:
            wait_until(is_ready, timeout_s=60, what="the emulator")
            yield make_event_api(port)
        finally:
            process.terminate()
            process.wait(30)


class NamedApi(EventApi):
    """The publisher, which finds the emulator by its port and is told apart by its name."""

    def __init__(self, emulated: Emulated) -> None:
        super().__init__(f"http://127.0.0.1:{emulated.port}/event", new_session())
        self._name = emulated.http

    def make_request(self, channel: str, text: str) -> Any:
        request = super().make_request(channel, text)
        request.headers["Host"] = self._name
        return request


def test_an_event_api_of_others_takes_what_is_published_and_tells_it_to_our_client(
    emulated: Emulated,
) -> None:
    channel = channels_at(AccountId("auth0|1@x:2"), datetime.now(UTC))[0]
    named = {"host": emulated.realtime}
    with LiveSocket(emulated.socket_url, token="t", host=emulated.http, headers=named) as heard:
        assert heard.start() == {"type": "connection_ack", "connectionTimeoutMs": 300_000}
        assert heard.subscribe(channel) == {"type": "subscribe_success", "id": "s1"}

        assert NamedApi(emulated).publish(channel, NEWS)

        assert heard.hear("data") == {"type": "data", "id": "s1", "event": NEWS}
        assert heard.hear("ka") == {"type": "ka"}
    assert not NamedApi(emulated).publish("/other/a", NEWS)
    assert not NamedApi(emulated).publish(f"/{NAMESPACE}/a_b", NEWS)
    assert not NamedApi(emulated).publish(f"/{NAMESPACE}/*", NEWS)
