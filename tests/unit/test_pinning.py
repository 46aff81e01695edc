"""Prices that were promised: the catalog of another version is read once, and never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.unit.building import ACCOUNT, CATALOG, NOON, ONE
from tests.unit.ledgers import a_ledger
from tollkeeper.domain.catalog import Catalog, Flat
from tollkeeper.domain.entries import AccountId, hold_key
from tollkeeper.domain.errors import BusyError, HoldClosedError, NotFoundError, PriceVersionError
from tollkeeper.domain.pricing import Consumption
from tollkeeper.service.charging import Keyed, RunRequest
from tollkeeper.service.commit import Outcome
from tollkeeper.service.holding import HoldRequest, SettleRequest, open_hold, release, settle
from tollkeeper.service.pinning import pinned_catalog, with_pinned
from tollkeeper.service.ports import World
from tollkeeper.store.ledger import Ledger
from tollkeeper.store.versions import write_version

OLD = replace(CATALOG, source='{"old":1}')
NEW = replace(
    CATALOG,
    version="v2",
    source='{"new":1}',
    operations={
        **CATALOG.operations,
        "call": replace(CATALOG.operation("call"), rule=Flat(9 * ONE)),
    },
)


class StillClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def monotonic_s(self) -> float:
        """Seconds."""
        return self.moment.timestamp()

    def pause(self, seconds: float) -> None:
        """Time has passed."""
        self.moment += timedelta(seconds=seconds)


class NoChance:
    """Always the middle."""

    def new_secret(self) -> str:
        """A secret."""
        return "s" * 43

    def fraction(self) -> float:
        """The middle."""
        return 0.5


class Parser:
    """Makes the old catalog of its source, and counts how often."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, source: str) -> Catalog:
        self.read.append(source)
        assert source == OLD.source
        return OLD


def a_world(ledger: Ledger, catalog: Catalog, parser: Parser | None = None) -> World:
    """A process with that catalog."""
    return World(ledger, StillClock(), NoChance(), catalog, parse_catalog=parser)


def opening(world: World, hold: str = "run_7") -> Outcome:
    """A hold for a call."""
    request = RunRequest(account=ACCOUNT, consumption=Consumption("call"))
    keyed = Keyed(hold_key(hold, "open"), "h", "me")
    return open_hold(world, request, keyed, timedelta(minutes=15))


def settling(world: World, hold: str = "run_7", account: AccountId = ACCOUNT) -> Outcome:
    """The hold settled at one call."""
    request = SettleRequest(account, hold, Consumption("", quantity_micro=ONE))
    return settle(world, request, Keyed(hold_key(hold, "settle"), "h", "me"))


def releasing(world: World, hold: str = "run_7") -> Outcome:
    """The hold given back."""
    return release(world, HoldRequest(ACCOUNT, hold), Keyed(hold_key(hold, "release"), "h", "me"))


def test_the_present_catalog_needs_no_reading() -> None:
    world = a_world(a_ledger(), CATALOG)

    assert pinned_catalog(world, "v1") is CATALOG


def test_another_catalog_is_asked_for_and_never_replaced_by_the_present_one() -> None:
    world = a_world(a_ledger(), NEW)

    with pytest.raises(PriceVersionError) as missing:
        pinned_catalog(world, "v1")

    assert missing.value.version == "v1"
    assert isinstance(missing.value, BusyError), "the same request may be sent again"


def test_it_is_read_from_the_table_once_and_kept() -> None:
    ledger, parser = a_ledger(), Parser()
    write_version(ledger, "v1", OLD.source, at=NOON)
    world = a_world(ledger, NEW, parser)

    first = with_pinned(world, lambda: pinned_catalog(world, "v1"))
    again = with_pinned(world, lambda: pinned_catalog(world, "v1"))

    assert first is again is OLD
    assert parser.read == [OLD.source]


def test_what_is_not_stored_or_cannot_be_parsed_is_refused() -> None:
    ledger = a_ledger()
    nothing = a_world(ledger, NEW, Parser())
    with pytest.raises(PriceVersionError):
        with_pinned(nothing, lambda: pinned_catalog(nothing, "v1"))

    write_version(ledger, "v1", OLD.source, at=NOON)
    speechless = a_world(ledger, NEW)
    with pytest.raises(PriceVersionError):
        with_pinned(speechless, lambda: pinned_catalog(speechless, "v1"))


def test_a_settle_in_a_new_process_with_new_prices_charges_the_old_ones() -> None:
    ledger, parser = a_ledger(), Parser()
    opening(a_world(ledger, OLD))

    settled = settling(a_world(ledger, NEW, parser)).entry

    assert settled is not None and settled.run is not None
    assert (settled.moved_microcredits, settled.run.price_version) == (ONE, "v1")
    assert parser.read == [OLD.source]


def test_a_late_settle_reads_the_terms_of_the_opening() -> None:
    ledger, parser = a_ledger(), Parser()
    opening(a_world(ledger, OLD))
    late = a_world(ledger, NEW, parser)
    late.clock.pause(3600)
    opening(late, "another")

    settled = settling(late).entry

    assert settled is not None and settled.run is not None
    assert (settled.details["late"], settled.moved_microcredits) == ("true", ONE)
    assert settled.run.price_version == "v1"


def test_a_process_without_the_prices_settles_nothing_and_releases() -> None:
    ledger = a_ledger()
    opening(a_world(ledger, OLD))
    lost = a_world(ledger, NEW)

    with pytest.raises(PriceVersionError):
        settling(lost)
    assert releasing(lost).entry is not None


def test_a_hold_of_nobody_is_not_there_and_a_closed_one_says_how() -> None:
    world = a_world(a_ledger(), OLD)
    opening(world)
    releasing(world)

    for act in (settling, releasing):
        with pytest.raises(NotFoundError):
            act(world, "nobodys")
    with pytest.raises(HoldClosedError) as closed:
        settling(world)
    assert closed.value.state == "released"
    assert releasing(world).was_replayed
    with pytest.raises(NotFoundError):
        settling(world, account=AccountId("nobody"))
