"""The gateway that `make run` starts, in a process of its own, and a client that talks to it."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.engine import free_port, process_identity

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 45.0

# What a developer may have exported, and what would change the gateway that a test wants.
_DROPPED = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "CATALOG_PATH",
    "DATA",
    "DEV_KEY",
    "PORT",
    "STRIPE_API_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "TABLE_NAME",
    "TOLLKEEPER_ENGINE",
)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the API."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(kw_only=True)
class Client:
    """One kept-alive connection; it is made again when the gateway has closed it."""

    port: int
    key: str | None
    timeout_s: float = 30.0
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Reply:
        """The answer to one request; a body that is not bytes is sent as JSON.

        Raises: OSError or http.client.HTTPException where the gateway is gone.
        """
        sent: dict[str, str] = {}
        payload: bytes | None = None
        if body is not None:
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        try:
            return self._send(method, path, payload=payload, headers={**sent, **(headers or {})})
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def _send(
        self, method: str, path: str, *, payload: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout_s
            )
        self._connection.request(method, path, body=payload, headers=dict(headers))
        response = self._connection.getresponse()
        answer_headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(status=response.status, headers=answer_headers, body=response.read())

    def close(self) -> None:
        """The connection is closed; the next request makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(kw_only=True)
class RunningGateway:
    """`python -m local.run` on a port and a data folder of its own."""

    data: Path
    key: str
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _clients: list[Client] = field(default_factory=list[Client], init=False)

    @property
    def url(self) -> str:
        """Where the API is served."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The gateway's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def engine_pid(self) -> int:
        """The database engine's process."""
        noted = json.loads((self.data / "engine.json").read_text(encoding="utf-8"))
        return int(noted["pid"])

    def start(self) -> float:
        """The gateway is ready. The answer is how many seconds that took."""
        began = time.monotonic()
        self.launch()
        while not self.is_ready():
            assert self._process is not None
            code = self._process.poll()
            assert code is None, f"the gateway ended with {code}:\n{self.log()}"
            assert time.monotonic() - began < START_TIMEOUT_S, self.log()
            time.sleep(0.02)
        return time.monotonic() - began

    def launch(self) -> None:
        """The process runs; nothing is said about whether it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {name: text for name, text in os.environ.items() if name not in _DROPPED}
        environment |= {"PORT": str(self.port), "DATA": str(self.data), "DEV_KEY": self.key}
        with self._log_path.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.run", *self.arguments],
                cwd=ROOT,
                env={**environment, "PYTHONFAULTHANDLER": "1", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def is_ready(self) -> bool:
        """Whether the gateway answers its health check."""
        client = Client(port=self.port, key=None, timeout_s=2.0)
        try:
            return client.ask("GET", "/healthz").status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """The exit status of the process, which has ended."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """The process has ended in good order; the answer is its exit status.

        Raises: AssertionError where it does not end, with what each of its threads does.
        """
        self.close_clients()
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            self._process.wait(STOP_TIMEOUT_S)
            raise AssertionError(f"the gateway does not end:\n{self.log()[-20_000:]}") from None

    def kill9(self) -> None:
        """The process has ended without a chance to do anything about it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def restart(self) -> float:
        """The gateway serves the same data again. The answer is how many seconds it took."""
        self.stop()
        return self.start()

    def client(self, *, key: str | None = None) -> Client:
        """A kept-alive connection that sends the gateway's key, or another one."""
        client = Client(port=self.port, key=key if key is not None else self.key)
        self._clients.append(client)
        return client

    def anonymous(self) -> Client:
        """A kept-alive connection that sends no key."""
        client = Client(port=self.port, key=None)
        self._clients.append(client)
        return client

    def close_clients(self) -> None:
        """Every connection that `client` made is closed."""
        while self._clients:
            self._clients.pop().close()

    def log(self) -> str:
        """Everything the gateway printed."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def _log_path(self) -> Path:
        return self.data / "gateway.log"


def wait_until(holds: Callable[[], bool], *, timeout_s: float, what: str) -> float:
    """It holds now. The answer is how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < timeout_s, f"{what} not within {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def is_running(pid: int) -> bool:
    """Whether a process of this pid runs; one that only waits to be buried does not."""
    return process_identity(pid) is not None


def new_dev_key() -> str:
    """A dev key that nobody else has."""
    return f"tk_dev_{secrets.token_hex(6)}_{secrets.token_hex(16)}"


StartGateway = Callable[..., RunningGateway]
"""What the fixture `start_gateway` gives."""
