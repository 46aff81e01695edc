"""What a ledger row tells the world, and that it tells it as docs/events.schema.json says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest

from tests.support.telling import TOLD
from tests.support.telling_rows import NOW, SECRET, moved, row
from tollkeeper.domain.entries import AccountId, Entry, EntryKind
from tollkeeper.domain.events import EventType, events_of, show_moment
from tollkeeper.edge.bus import SOURCE

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "events.schema.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "events.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
OF_ROWS = [each for each in EventType if each is not EventType.SPEND_REFUSED]
FACT: dict[str, Any] = SCHEMA["$defs"]["fact"]["properties"]


def as_received(entry: Entry) -> list[dict[str, Any]]:
    """The row's events as a rule's target has them, in the members that the schema speaks of."""
    return [
        {"detail-type": event.type.value, "source": SOURCE, "detail": dict(event.detail)}
        for event in events_of(entry)
    ]


def problems(received: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(received)]


def own_members(event_type: str) -> dict[str, Any]:
    return SCHEMA["$defs"][event_type].get("properties", {})


ALL = [received for entry, _ in TOLD.values() for received in as_received(entry)]


class TestWhichEvents:
    @pytest.mark.parametrize("name", TOLD)
    def test_a_row_tells_its_facts(self, name: str) -> None:
        entry, expected = TOLD[name]

        assert tuple(event.type for event in events_of(entry)) == expected

    def test_every_kind_of_row_is_decided_and_has_an_example(self) -> None:
        assert {entry.kind for entry, _ in TOLD.values()} == set(EntryKind)

    def test_every_type_of_event_that_a_row_tells_has_an_example(self) -> None:
        assert {received["detail-type"] for received in ALL} == set(OF_ROWS)

    @pytest.mark.parametrize(
        "code", ["", "low", "low_balance:", "week:80", "day:", "day:most", "day:-1", "day:²"]
    )
    def test_an_alert_that_nobody_knows_is_an_error_and_never_silence(self, code: str) -> None:
        with pytest.raises(ValueError, match="there is no alert"):
            events_of(row(EntryKind.HOLD, alerts=(code,)))


class TestIds:
    def test_an_id_is_the_account_the_seq_and_the_facts_own_number(self) -> None:
        ids = [event.id for event in events_of(TOLD["alerts"][0])]

        assert ids == [f"user_1:7:{n}" for n in (0, 2, 3, 4, 5, 6)]

    def test_what_expired_inside_a_row_has_the_same_number_with_and_without_the_rows_own_event(
        self,
    ) -> None:
        settled, released = TOLD["settle, a part, over an end"], TOLD["release into an end"]

        assert [event.id for event in events_of(settled[0])] == ["user_1:7:0", "user_1:7:1"]
        assert [event.id for event in events_of(released[0])] == ["user_1:7:1"]

    def test_told_again_a_row_tells_the_very_same(self) -> None:
        for entry, _ in TOLD.values():
            assert events_of(entry) == events_of(replace(entry))

    def test_ids_differ_between_rows_even_where_accounts_have_colons(self) -> None:
        one = replace(moved(EntryKind.CHARGE, 1), account=AccountId("a:1"), seq=2)
        other = replace(one, account=AccountId("a"), seq=12)

        assert events_of(one)[0].id != events_of(other)[0].id


class TestDetail:
    def test_a_charge_is_told_with_what_ran_and_what_is_left(self) -> None:
        (event,) = events_of(TOLD["settle, late"][0])

        assert event.at == NOW
        assert event.detail == {
            "id": "user_1:7:0",
            "account": "user_1",
            "seq": 7,
            "key": "h~job_1~settle",
            "at": "2026-11-20T12:00:00.812Z",
            "available_after": "97.5",
            "held_after": "5",
            "charged": "1.5",
            "operation": "ai_tokens",
            "model": "gpt-4",
            "feature": "chat",
            "service": "openai",
            "subtype": "pdf",
            "quantity": "2.5",
            "tokens": {
                "input": 20,
                "cached_input": 1,
                "cache_write_5m": 2,
                "cache_write_1h": 3,
                "output": 5,
                "reasoning": 6,
                "audio_input": 7,
                "audio_output": 8,
            },
            "cost_usd": "0.00123",
            "price_version": "9bf358f6176cd8ca",
            "hold_id": "job_1",
            "released": "3.5",
            "uncollected": "0.000001",
            "is_late": True,
        }

    def test_a_purchase_is_told_with_its_price_in_the_currencys_own_digits(self) -> None:
        prices = [
            events_of(TOLD[name][0])[0].detail["price"]
            for name in ("purchase", "purchase of a pack that ends")
        ]

        assert prices == ["10.00", "1500"]

    def test_a_void_says_that_it_is_one_and_a_refund_that_it_is_none(self) -> None:
        void, refund = (events_of(TOLD[name][0])[0].detail for name in ("void", "refund"))

        assert (void["is_void"], void["charge"], void["debt_paid"]) == (True, "msg_811", "0.25")
        assert (refund["is_void"], refund["returned"]) == (False, "0.5")

    def test_a_period_is_told_and_beside_it_what_its_plan_gives(self) -> None:
        period, granted = events_of(TOLD["reset with a debt"][0])

        assert (period.id, granted.id) == ("user_1:7:0", "user_1:7:1")
        assert period.detail["period_end"] == "2026-11-30T23:00:00.000Z"
        assert (granted.detail["credits"], granted.detail["debt_paid"]) == ("15", "4")
        assert events_of(TOLD["reset"][0])[0].detail["rolled_over"] == "2.5"

    def test_a_threshold_is_told_with_its_window_and_percent(self) -> None:
        reached = [e.detail for e in events_of(TOLD["alerts"][0]) if "percent" in e.detail]

        assert [(d["window"], d["percent"]) for d in reached] == [
            ("day", 80),
            ("day", 100),
            ("month", 50),
        ]

    def test_no_amount_is_a_number_that_a_parser_could_round(self) -> None:
        def numbers(value: object) -> list[object]:
            if isinstance(value, dict):
                members = cast("dict[str, object]", value)
                return [n for each in members.values() for n in numbers(each)]
            return [value] if isinstance(value, float) else []

        assert [n for received in ALL for n in numbers(received)] == []

    def test_neither_metadata_nor_who_asked_nor_a_hash_is_told(self) -> None:
        text = json.dumps(ALL)

        assert SECRET not in text
        assert "service:0123456789ab" not in text
        assert "hash" not in text

    def test_a_moment_is_shown_in_utc_with_milliseconds(self) -> None:
        assert show_moment(NOW) == "2026-11-20T12:00:00.812Z"

    def test_an_event_of_the_longest_texts_is_far_below_what_the_bus_takes(self) -> None:
        entry, _ = TOLD["settle, late"]
        assert entry.run is not None
        run = replace(entry.run, operation="o" * 64, model="m" * 128, label="ä" * 64)
        long = replace(entry, account=AccountId("a" * 128), run=run, reason="ß" * 300)

        sizes = [len(json.dumps(dict(event.detail)).encode()) for event in events_of(long)]

        assert max(sizes) * 10 < 256 * 1024 / 8


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        jsonschema_rs.meta.validate(SCHEMA)

    @pytest.mark.parametrize("received", ALL, ids=lambda each: each["detail-type"])
    def test_every_event_is_as_it_says(self, received: dict[str, Any]) -> None:
        assert problems(received) == []

    def test_it_names_every_type_and_no_other(self) -> None:
        types = [each.value for each in EventType]

        assert SCHEMA["properties"]["detail-type"]["enum"] == sorted(types, key=types.index)
        assert set(SCHEMA["$defs"]) == {*types, "amount", "usd", "moment", "fact"}
        assert [each["properties"]["detail-type"]["const"] for each in SCHEMA["oneOf"]] == types

    @pytest.mark.parametrize("event_type", OF_ROWS)
    def test_it_names_every_member_and_no_other(self, event_type: EventType) -> None:
        details = [each["detail"] for each in ALL if each["detail-type"] == event_type]

        found = {name for detail in details for name in detail}

        assert found == {*FACT, *own_members(event_type)}

    @pytest.mark.parametrize("event_type", OF_ROWS)
    def test_it_asks_for_what_is_always_there(self, event_type: EventType) -> None:
        required = {*SCHEMA["$defs"]["fact"]["required"]}
        required |= {*SCHEMA["$defs"][event_type].get("required", ())}
        for each in ALL:
            if each["detail-type"] == event_type:
                assert required <= set(each["detail"])
        assert set(SCHEMA["$defs"]["fact"]["required"]) == set(FACT)

    @pytest.mark.parametrize(
        ("member", "wrong"),
        [
            ("charged", 1.5),
            ("charged", "1.5000001"),
            ("charged", "1.50"),
            ("charged", "01"),
            ("seq", "7"),
            ("at", "2026-11-20T12:00:00Z"),
            ("id", "user_1:7"),
            ("tokens", {"input": -1}),
            ("is_late", False),
        ],
    )
    def test_it_finds_what_is_wrong(self, member: str, wrong: object) -> None:
        (right,) = as_received(TOLD["settle, late"][0])

        assert problems({**right, "detail": {**right["detail"], member: wrong}})

    def test_it_finds_a_type_and_a_source_that_are_not_ours(self) -> None:
        (right,) = as_received(TOLD["deduct"][0])

        assert problems({**right, "detail-type": "charge.made"})
        assert problems({**right, "source": "aws.s3"})
        assert problems({**right, "detail-type": "limit.reached"})


class TestPage:
    def test_its_table_names_every_type_with_the_schemas_own_words(self) -> None:
        rows = re.findall(r"^\| `([a-z._]+)` \| (.*?) \|", PAGE, re.M)

        assert dict(rows) == {
            each.value: SCHEMA["$defs"][each]["description"] for each in EventType
        }

    def test_its_table_names_every_member_of_each_type(self) -> None:
        for name, cells in re.findall(r"^\| `([a-z._]+)` \|(.*)\|$", PAGE, re.M):
            _, always, sometimes = cells.split(" | ")
            definition = SCHEMA["$defs"][name]
            required = set(definition.get("required", ()))
            assert set(re.findall(r"`(\w+)`", always)) == required, name
            assert set(re.findall(r"`(\w+)`", sometimes)) == set(own_members(name)) - required, name

    def test_its_examples_are_events(self) -> None:
        blocks = re.findall(r"```json\n(.*?)```", PAGE, re.S)
        shown = [json.loads(block) for block in blocks]
        events = [each for each in shown if isinstance(each.get("detail-type"), str)]

        assert events
        assert [problems(event) for event in events] == [[] for _ in events]
