"""Flows of the integration tests once more, with SimStore under the handlers instead of moto.

What these tests say of moto's answers they then say of SimStore's, and a handler that depends on
one of the two would be found here.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from simulation.store import Commit, SimStore
from tests.integration import (
    test_deduct,
    test_faults,
    test_history,
    test_payment_events,
    test_sweep,
    test_systems,
)
from tests.integration.test_faults import rounds, write
from tests.integration.test_sweep import accounts
from tests.integration.test_systems import under
from tests.support.driving import Driver, verify_ledger

__all__ = ["accounts", "rounds", "under", "write"]

FLOWS = (
    test_deduct,
    test_faults,
    test_history,
    test_payment_events,
    test_sweep,
    test_systems,
)


def flows_of(module: ModuleType) -> dict[str, Any]:
    """The module's tests, under names that say where they are from."""
    file = module.__name__.rpartition(".")[2]
    return {
        f"{file}__{name.removeprefix('test_')}": member
        for name, member in vars(module).items()
        if name.startswith("test_")
    }


for _module in FLOWS:
    globals().update(flows_of(_module))


def test_every_kind_of_flow_is_there() -> None:
    assert all(len(flows_of(module)) >= 3 for module in FLOWS)


def test_no_handler_changes_an_item_that_it_read(driver: Driver, store: SimStore) -> None:
    """A read shares its values with the table, so whoever changed one would change history."""
    written: list[tuple[Commit, str]] = []
    store.on_commit = lambda commit: written.append((commit, repr(commit.puts)))

    driver.deduct("user_1", "sms", "c-1")
    driver.void("user_1", "c-1", "v-1")
    driver.grant("user_1", 5)
    driver.deduct("user_1", "sms", "c-2")
    assert driver.deduct("user_1", "sms", "c-2").status == 200
    assert driver.check("user_1", "sms").status == 200
    assert driver.stats("user_1").status == 200
    verify_ledger(driver, "user_1")

    assert len(written) == store.commits > 3
    for commit, then in written:
        assert repr(commit.puts) == then
