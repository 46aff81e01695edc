"""localstripe, another project's fake Stripe, in a process of its own on this machine alone.

Why: it was written by others and from their own reading of Stripe, so it does not share our
mistakes. It has no Checkout, no portal, no idempotency keys and few parameters;
tests/integration/test_localstripe.py says what cannot be asked of it.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import stripe

from local.engine import free_port

START_TIMEOUT_S = 20.0
SECRET = "whsec_of_localstripe"
# Its own command listens on every address and keeps its data in /tmp; this one does neither.
PROGRAM = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@dataclass
class LocalStripe:
    """A localstripe that answers, and every event that it sent: its signature and its bytes."""

    port: int
    received: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> stripe.StripeClient:
        """Stripe's own SDK, which asks it."""
        return stripe.StripeClient(
            "sk_test_12345",
            http_client=stripe.RequestsClient(timeout=5),
            base_addresses={"api": self.url},
            max_network_retries=0,
        )

    def await_events(
        self, *types: str, about: str, timeout_s: float = 20.0
    ) -> list[tuple[str, bytes]]:
        """Every event that names the object, once one of each type is there."""
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            found = [each for each in self.received if about.encode() in each[1]]
            if all(any(f'"{each}"'.encode() in raw for _, raw in found) for each in types):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{types} did not come within {timeout_s} s")


@contextmanager
def running() -> Generator[LocalStripe]:
    """A localstripe on a free port of 127.0.0.1 until the block ends, however it ends."""
    made = LocalStripe(free_port())

    class Handler(BaseHTTPRequestHandler):
        """Takes each event."""

        def do_POST(self) -> None:
            """One event."""
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            made.received.append((str(self.headers["Stripe-Signature"]), raw))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(made.port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_answer(process, made.port, f"http://127.0.0.1:{endpoint.server_port}/")
        yield made
    finally:
        process.terminate()
        process.wait(10)
        endpoint.shutdown()
        thread.join()
        endpoint.server_close()


def _await_answer(process: subprocess.Popen[bytes], port: int, hook: str) -> None:
    """It answers, and knows where its events go."""
    form = urlencode({"url": hook, "secret": SECRET})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ends = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < ends:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("POST", "/_config/webhooks/ours", body=form, headers=headers)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError("localstripe does not answer")
