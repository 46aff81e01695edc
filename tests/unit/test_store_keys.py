"""Where items live, service keys and price versions in the table, and how patient the client is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from string import ascii_letters
from typing import Any

import botocore.session
import pytest

from tests.golden import stored
from tests.unit.building import NOON
from tests.unit.ledgers import TABLE, Answering, a_ledger, a_store, refused
from tollkeeper.domain.entries import AccountId, EntryKey
from tollkeeper.store import keys
from tollkeeper.store.api_keys import KeyRing, ServiceKey
from tollkeeper.store.client import WORST_CALL_S, connect, new_session
from tollkeeper.store.keys import DUE_SHARDS, due_shard
from tollkeeper.store.ledger import Ledger, TakenError, UnansweredError
from tollkeeper.store.rows import to_ms
from tollkeeper.store.versions import read_version, version_to_item, write_version

USER = AccountId("user_1")
KEY = ServiceKey("k_1", "backend", "d1", ("credits:write",), created_at=NOON, created_by="k_0")

# ---- Where items live


def test_items_stay_where_earlier_versions_put_them() -> None:
    found = [
        keys.account_key(USER),
        keys.entry_key(USER, EntryKey("c#k1")),
        keys.day_key(USER, date(2026, 1, 2)),
        keys.returned_key(USER, EntryKey("c#k1")),
        keys.purchase_key(USER, "pur_1"),
        keys.link_key("pi_1"),
        keys.event_key("evt_1"),
        keys.version_key("0a1b"),
        keys.api_key_key("k_1"),
    ]

    assert [(each["pk"]["S"], each["sk"]["S"]) for each in found] == [
        ("A#user_1", "A"),
        ("A#user_1", "E#c#k1"),
        ("A#user_1", "D#2026-01-02"),
        ("A#user_1", "B#c#k1"),
        ("A#user_1", "P#pur_1"),
        ("L#pi_1", "L"),
        ("S#evt_1", "S"),
        ("V#0a1b", "V"),
        ("K", "K#k_1"),
    ]


def test_an_account_stays_in_its_shard_and_accounts_spread_over_all() -> None:
    """Why: a shard that moved would leave accounts unswept; one of few would be slow."""
    shards = [due_shard(f"user_{number}") for number in range(1000)]

    assert due_shard("user_1") == "DUE#0"
    assert set(shards) == {f"DUE#{number}" for number in range(DUE_SHARDS)}
    assert min(shards.count(shard) for shard in set(shards)) > 20


# ---- Service keys


def test_a_key_is_read_as_it_was_written_and_no_other_id_finds_it() -> None:
    ring = KeyRing(a_ledger(a_store(item=1)))
    ring.write_key(KEY)

    assert ring.read_key("k_1") == KEY
    assert ring.read_key("k_2") is None


def test_a_revoked_key_is_revoked_for_the_next_reader() -> None:
    ring = KeyRing(a_ledger(a_store(item=1)))
    ring.write_key(KEY)
    revoked = replace(KEY, version=2, revoked_at=NOON)
    ring.write_key(revoked)

    assert ring.read_key("k_1") == revoked
    assert ring.read_keys() == (revoked,)


def test_of_two_changes_of_one_key_the_second_changes_nothing() -> None:
    """Why: a key that was revoked must not come back with somebody's change of its name."""
    ring = KeyRing(a_ledger())
    ring.write_key(KEY)
    ring.write_key(replace(KEY, version=2, revoked_at=NOON))

    with pytest.raises(TakenError) as caught:
        ring.write_key(replace(KEY, version=2, name="other"))

    assert caught.value.role == "key"
    found = ring.read_key("k_1")
    assert found is not None and found.revoked_at == NOON


def test_a_key_is_made_once() -> None:
    ring = KeyRing(a_ledger())
    ring.write_key(KEY)

    with pytest.raises(TakenError):
        ring.write_key(replace(KEY, digest="d2"))


def test_all_keys_are_listed_and_nothing_else() -> None:
    ledger = a_ledger()
    ring = KeyRing(ledger)
    made = [replace(KEY, id=f"k_{number}") for number in range(3)]
    for key in made:
        ring.write_key(key)
    write_version(ledger, "0a1b", "{}", NOON)

    assert ring.read_keys() == tuple(made)


def test_a_list_of_keys_is_bounded_and_read_strongly() -> None:
    client = Answering({"Items": []})

    KeyRing(Ledger(client, TABLE)).read_keys()

    assert client.requests[0]["TableName"] == TABLE
    assert client.requests[0]["ConsistentRead"] is True
    assert client.requests[0]["Limit"] == 1000


# ---- Price versions

CATALOG = '{"name":"Jürgen","plans":{}}'


def test_a_price_version_is_read_as_it_was_written() -> None:
    ledger = a_ledger(a_store(item=1))

    write_version(ledger, "0a1b", CATALOG, NOON)

    assert read_version(ledger, "0a1b") == CATALOG
    assert read_version(ledger, "ffff") is None


def test_a_price_version_is_never_written_over() -> None:
    """Why: it explains every charge that was priced with it."""
    store = a_store()
    ledger = a_ledger(store)
    write_version(ledger, "0a1b", CATALOG, NOON)

    write_version(ledger, "0a1b", "{}", NOON)

    assert read_version(ledger, "0a1b") == CATALOG
    assert store.commits == 1


def test_a_price_version_that_could_not_be_written_is_told() -> None:
    ledger = Ledger(Answering(error=refused("ThrottlingException")), TABLE)

    with pytest.raises(UnansweredError):
        write_version(ledger, "0a1b", CATALOG, NOON)


def test_a_stored_price_version_says_how_it_is_packed_and_how_large_it_is() -> None:
    item = version_to_item("0a1b", CATALOG, NOON)

    assert {name: item[name] for name in ("sv", "at", "size", "how")} == {
        "sv": {"N": "1"},
        "at": {"N": str(to_ms(NOON))},
        "size": {"N": str(len(CATALOG))},
        "how": {"S": "zlib"},
    }


def test_a_catalog_of_many_prices_is_packed_into_a_tenth() -> None:
    catalog = '{"operation":{"price":1}}' * 40_000

    packed = version_to_item("0a1b", catalog, NOON)["catalog"]["B"]

    assert len(packed) < len(catalog) / 10


def test_a_catalog_that_no_item_can_hold_is_our_bug() -> None:
    noise = "".join(Random(1).choices(ascii_letters, k=500_000))

    with pytest.raises(AssertionError):
        version_to_item("0a1b", noise, NOON)


# ---- The client


class Session:
    """An SDK session that remembers which client it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def register_component(self, name: str, component: object) -> None:
        """What the session takes from elsewhere."""

    def get_config_variable(self, name: str) -> None:
        """Nothing is set."""

    def create_client(self, service: str, **options: Any) -> str:
        """A client of that service."""
        self.asked.append((service, options))
        return "client"


def test_the_client_gives_up_long_before_a_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why: the SDK waits a minute by default, and whoever called is gone by then."""
    session = Session()
    monkeypatch.setattr(botocore.session, "get_session", lambda: session)

    assert connect("eu-west-1") == "client"

    (service, options) = session.asked[0]
    config = options["config"]
    assert (service, options["region_name"]) == ("dynamodb", "eu-west-1")
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}
    assert WORST_CALL_S == 6


def test_the_client_keeps_its_connections_and_checks_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Why: a connection costs milliseconds; parameters come from `items` and are sound."""
    session = Session()
    monkeypatch.setattr(botocore.session, "get_session", lambda: session)

    connect()

    config = session.asked[0][1]["config"]
    assert config.max_pool_connections == 50
    assert config.parameter_validation is False
    assert config.tcp_keepalive is True
    assert config.user_agent.startswith("tollkeeper Botocore/")
    assert session.asked[0][1]["region_name"] is None


def test_sessions_share_what_the_sdk_reads_and_nothing_else() -> None:
    """Why: it is the same files each time, and a function's processor is slow."""
    one, other = new_session(), new_session()

    assert one is not other
    assert one.get_component("data_loader") is other.get_component("data_loader")


def test_a_key_without_scopes_or_an_end_has_none_when_it_is_read() -> None:
    ring = KeyRing(a_ledger())

    ring.write_key(stored.BARE_KEY)

    assert ring.read_key("k_1") == stored.BARE_KEY
