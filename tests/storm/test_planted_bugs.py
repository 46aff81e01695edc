"""The storm still bites: it finds every bug that is planted, within the first of its own seeds.

That these seeds find nothing in the product as it is, `test_storm` shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from simulation.deployment import ENVIRONMENT, prepare_process
from simulation.planted.bug import Bug, Patches, planted
from simulation.planted.hunt import BUGS, MOST_SEEDS, hunt
from simulation.planted.keys import COMMIT
from tests.support.forgetting import forget
from tollkeeper.edge.observability import logger


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a storm sets for its process is gone after it."""
    level = logger().log_level
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    prepare_process(is_quiet=True)
    yield
    logger().setLevel(level)
    forget()


@lru_cache(maxsize=1)
def recorded() -> dict[str, int]:
    """The seed at which each bug was found when that was last written down.

    Why: one storm shows what a hundred before it, which notice nothing, would show in the end.
    Where the storms have changed since, the hunt goes through all of them.
    """
    page = Path("docs/evidence/planted.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (?:[^|\\]|\\.)+ \| ([0-9]+) \|", page, re.MULTILINE)
    return {name: int(seed) for name, seed in rows}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "_"))
def test_the_storm_finds_the_planted_bug(bug: Bug) -> None:
    hunted = hunt(bug, likely=recorded().get(bug.name))

    assert hunted.seed is not None, f"{bug.what}: {MOST_SEEDS} storms did not notice"


def test_a_planted_bug_is_gone_afterwards() -> None:
    own = COMMIT.run

    def plant(patches: Patches) -> None:
        patches.replace(COMMIT, "run", None)

    with planted(Bug("none", "commands do nothing", plant)):
        assert COMMIT.run is None

    assert COMMIT.run is own
