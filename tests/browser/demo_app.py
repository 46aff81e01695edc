"""The demo on a system of its own: what `make demo` starts, for one test."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from examples.demo.run import environment, seed
from examples.demo.server import App, start
from local.engine import free_port
from tests.e2e.running_gateway import RunningGateway, new_dev_key


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Where the demo is, and the backend behind it."""

    url: str
    app: App


@contextlib.contextmanager
def running_demo(data: Path) -> Generator[Demo]:
    """The system with the demo's catalog, and the demo's app; nothing of it runs afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    gateway = RunningGateway(data=data, key=new_dev_key())
    given = environment(key=gateway.key, port=gateway.port, app_url=url)
    gateway.environment = {name: text for name, text in given.items() if name != "DEV_KEY"}
    app = App(api=gateway.url, key=gateway.key, live=gateway.url.replace("http", "ws", 1))
    try:
        gateway.start()
        seed(app)
        server = start(app, port=port)
        try:
            yield Demo(url=url, app=app)
        finally:
            server.shutdown()
            server.server_close()
    finally:
        app.close()
        gateway.stop()
