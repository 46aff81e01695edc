"""Real handlers on the simulated table, whose stale reads a test decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from local.template import read_template, table_definition
from simulation.store import SimStore
from tests.support.driving import Driver, FakeClock
from tests.support.forgetting import forget
from tollkeeper.edge import wiring

TABLE = "tollkeeper-storm"


@lru_cache(maxsize=1)
def table_of_template() -> dict[str, Any]:
    """The table as the template has it."""
    return dict(table_definition(read_template(Path("template.yaml")), name=TABLE))


@dataclass
class Lagging:
    """How many commits behind the next weak reads are."""

    item: int = 0

    def behind(self, what: str) -> int:
        """So many commits, once."""
        behind, self.item = (self.item, 0) if what == "item" else (0, self.item)
        return behind


@dataclass
class Sim:
    """Somebody who calls routes, and the table under them."""

    driver: Driver
    store: SimStore
    lag: Lagging


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sim]:
    """A stack on an empty simulated table."""
    values = {
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "CATALOG_PATH": "layers/catalog/catalog.toml",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_DEV": "false",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    clock, lag = FakeClock(), Lagging()
    store = SimStore(table_of_template(), now=clock.monotonic_s, lag=lag)
    monkeypatch.setattr(wiring, "SystemClock", lambda: clock)
    monkeypatch.setattr(wiring, "connect", lambda: store)
    forget()
    yield Sim(Driver(clock), store, lag)
    forget()
