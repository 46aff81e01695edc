"""The real handlers on a table in memory, attacked in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.gateway import Gateway
from simulation.hostile.target import Target, attacked
from tests.hostile.wsgi import make_gateway


@pytest.fixture
def target() -> Iterator[Target]:
    """Accounts in every standing, and whoever attacks them."""
    with attacked() as found:
        yield found


@pytest.fixture
def gateway(target: Target) -> Gateway:
    """The same behind the template's routes and authorizers."""
    assert target.key, "whoever gets in needs a key"
    return make_gateway()
