"""Windows and thresholds to the micro-credit: nothing rings, warns or refuses one too early."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.building import CATALOG, NOON, ONE, a_run, an_account, charged, granted
from tests.unit.holding import capped, costing
from tollkeeper.domain.account import Rung, Windows
from tollkeeper.domain.alerts import ring
from tollkeeper.domain.catalog import Limits
from tollkeeper.domain.errors import LimitReachedError
from tollkeeper.domain.gate import refuse_unable
from tollkeeper.domain.money import LARGEST_MICROCREDITS
from tollkeeper.domain.windows import Window, read_windows


def test_a_limit_that_stays_exactly_full_has_not_recovered() -> None:
    account = capped(granted(an_account(), 500)[0], "day", 5)
    account, full = charged(account, costing(5), key="k1")

    account, again = charged(account, costing(0), key="k2")

    assert "day:100" in full.alerts
    assert again.alerts == ()
    assert account.rung.day == 100


def test_one_microcredit_short_of_a_threshold_rings_nothing_however_large_the_limit() -> None:
    most = LARGEST_MICROCREDITS * 1000
    account = an_account("deep")
    limits = replace(account.limits, operator=Limits(day=most))
    account = replace(account, limits=limits, rung=Rung(is_low=True))

    def rung(spent: int) -> tuple[str, ...]:
        return ring(replace(account, windows=Windows(day=spent)), CATALOG)[1]

    assert 80 in CATALOG.alert_thresholds
    assert "day:80" not in rung(most // 100 * 80 - 1)
    assert "day:80" in rung(most // 100 * 80)


def test_a_window_counts_what_was_spent_and_nothing_else_unless_it_is_told_to() -> None:
    window = Window("day", 79, 80, NOON)

    assert window.percent() == 98
    assert window.percent(1) == 100


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own clock shows the time of Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_every_window_ends_on_the_clock_of_the_account_and_not_on_the_machines() -> None:
    account = an_account(zone="America/New_York")

    ends = [window.resets_at.isoformat() for window in read_windows(account, CATALOG)]

    assert ends == [
        "2026-11-21T00:00:00-05:00",
        "2026-12-01T00:00:00-05:00",
        "2026-12-01T00:00:00-05:00",
    ]


def test_a_limits_sentence_says_nothing_of_holds_where_none_is_open() -> None:
    account = capped(an_account("pro"), "day", 6)
    account, _ = charged(account, a_run("sms", quantity=2 * ONE))

    with pytest.raises(LimitReachedError) as refusal:
        refuse_unable(account, costing(5), CATALOG)

    assert refusal.value.detail == "sms needs 5 credits; of the daily limit of 6 2 are spent."
