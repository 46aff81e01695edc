"""The real handlers in this process, on a database of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from local.engine import Engine, choose, free_port
from local.table import ensure_table
from local.template import read_template
from tests.support.driving import Driver, FakeClock
from tests.support.forgetting import forget
from tollkeeper.edge import wiring
from tollkeeper.service.ports import Clock
from tollkeeper.store.client import DynamoClient

ROOT = Path(__file__).resolve().parents[1]
TABLE = "tollkeeper-bench"
CATALOG = ROOT / "layers" / "catalog" / "catalog.toml"

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "bench" * 8,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "TABLE_NAME": TABLE,
    "STAGE": "local",
    "CATALOG_PATH": str(CATALOG),
    "KEY_PEPPER": "pepper-for-benchmarks",
    "QUOTE_SECRET": "quotes-for-benchmarks",
    "POWERTOOLS_SERVICE_NAME": "tollkeeper",
}


@contextmanager
def environment(**values: str) -> Generator[None]:
    """The functions' environment, as the template would give it."""
    with patch.dict("os.environ", {**ENVIRONMENT, **values}):
        yield


@contextmanager
def handlers(
    connect: Callable[[], DynamoClient], *, clock: Clock | None = None
) -> Generator[Driver]:
    """Somebody who calls the real handlers with every scope; below the store is this client.

    Needs: the environment.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.object(wiring, "connect", connect))
        if clock is not None:
            stack.enter_context(patch.object(wiring, "SystemClock", lambda: clock))
        stack.callback(forget)
        forget()
        yield Driver(clock if isinstance(clock, FakeClock) else FakeClock())


@contextmanager
def engine() -> Generator[str]:
    """The name of a database engine in a process of its own; the environment leads there.

    Raises: EngineError where it is not installed.
    Why: dynoxide alone reports every unit as DynamoDB does. It runs in memory where there is such
    a folder: what is counted is the same, and filling a large table takes a tenth of the time.
    """
    memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    with TemporaryDirectory(prefix="tollkeeper-bench-", dir=memory) as folder:
        data, port = Path(folder), free_port()
        kind = choose(data=data, port=port, wanted="dynoxide")
        running = Engine(kind=kind, port=port, data=data, log=_drop)
        running.start()
        try:
            with environment(AWS_ENDPOINT_URL_DYNAMODB=running.endpoint):
                yield kind.name
        finally:
            running.stop()


def _drop(_: str) -> None:
    """The engine's own lines are not shown."""


def make_table() -> None:
    """The table of the template is there, empty."""
    ensure_table(read_template(), name=TABLE)


def describe_machine() -> str:
    """What a figure was measured on."""
    cores = [
        line.partition(":")[2].strip()
        for line in _read("/proc/cpuinfo").splitlines()
        if line.startswith("model name")
    ]
    python = ".".join(str(part) for part in sys.version_info[:3])
    processor = f"{len(cores)} x {cores[0]}" if cores else sys.platform
    load = _read("/proc/loadavg").split()[:1]
    busy = f", load {load[0]} at the start" if load else ""
    return f"Python {python} on {sys.platform}, {processor}{busy}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
