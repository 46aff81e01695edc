"""The verdicts of a storm bite: each break of a promise is named, and what holds is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.socket_journal import Ask, Heard, Journal, Records, Told, read_journals
from tests.e2e.socket_reading import Row, Seen
from tests.e2e.socket_verdicts import judge_all
from tests.e2e.socket_wishes import MICRO, sms, stand, top_up, void

LOST = Told(status=0)
REFUSED = Told(status=402, text='{"code": "insufficient_credits"}')
BOUGHT = Ask(
    id="b1", kind="checkout", method="POST", path="/v1/checkout", account="a", key="b1", body={}
)
PAID = Ask(
    id="e1", kind="paid", method="POST", path="/v1/webhooks/stripe", account="a", about="pur_1"
)
GRANTED = Told(status=200, text='{"outcome": "granted"}')
OPENED = Told(status=201, text='{"purchase_id": "pur_1", "pack": "pro"}')


def charged(seq: int, available: int, quantity: int = 1, **members: Any) -> Told:
    """The answer to a charge of so many messages."""
    body = {"key": "k", "charged": quantity, "available": available, "seq": seq, **members}
    return Told(status=200, text=json.dumps(body))


def replayed(told: Told) -> Told:
    """The same answer, given once more."""
    return replace(told, was_replayed=True)


def heard(ask: Ask, *tries: Told) -> Heard:
    """The request, and what its tries came to."""
    return Heard(ask=ask, tries=list(tries))


def charge(seq: int, key: str, available_after: int, quantity: int = 1) -> Row:
    """The row of a charge. Units: credits."""
    return Row(
        seq=seq,
        key=key,
        kind="charge",
        delta=-quantity * MICRO,
        available_after=available_after * MICRO,
        charged=quantity * MICRO,
    )


def came_in(seq: int, key: str, amount: int, available_after: int, kind: str = "grant") -> Row:
    """The row of credits that came in. Units: credits."""
    return Row(
        seq=seq,
        key=key,
        kind=kind,
        delta=amount * MICRO,
        available_after=available_after * MICRO,
        charged=None,
    )


RESET = came_in(1, "t~reset:1:2026-12-01T00:00:00.000000Z", 15, 15, "reset")


def ledger(*rows: Row, account: str = "a", **changes: Any) -> Seen:
    """The account whose stats and balance are those of its rows, but for the changes."""
    charges = [row for row in rows if row.kind == "charge"]
    seen = Seen(
        account=account,
        available=sum(row.delta for row in rows),
        seq=len(rows),
        rows=rows,
        returned={row.key: row.delta for row in rows if row.kind == "void"},
        calls=len(charges) - sum(row.kind == "void" for row in rows),
        failed=0,
        credits=sum(-row.delta for row in rows if row.kind in ("charge", "void")),
    )
    return replace(seen, **changes)


def judge(*asked: Heard, seen: Seen, wrong: tuple[str, ...] = (), status: str = "paid") -> str:
    """Every verdict, as one text."""
    records = Records(heard={each.ask.id: each for each in asked}, wrong=list(wrong))
    return "\n".join(judge_all(records, {seen.account: seen}, {"pur_1": status}))


ONE = sms("a", "k", 1, id_="i1")
TWO = sms("a", "k", 1, id_="i2")
ELEVEN = sms("a", "k", 11, id_="i3")


def test_what_holds_is_not_blamed() -> None:
    once = charged(2, 14)
    back = Told(
        status=200, text='{"key": "v", "charge": "k", "refunded": 1, "available": 15, "seq": 3}'
    )
    mismatch = Told(status=422, text='{"code": "idempotency_mismatch"}')
    frozen = Told(
        status=200, text='{"key": "f", "kind": "freeze", "available": 515, "debt": 0, "seq": 5}'
    )
    rows = (
        RESET,
        charge(2, "k", 14),
        came_in(3, "v", 1, 15, "void"),
        came_in(4, "s~purchase:pur_1", 500, 515),
        came_in(5, "f", 0, 515, "freeze"),
    )

    found = judge(
        heard(ONE, LOST, once),
        heard(TWO, replayed(once)),
        heard(ELEVEN, mismatch),
        heard(sms("a", "poor", 100, id_="i4"), REFUSED),
        heard(void("a", "k", "v", id_="v"), back),
        heard(BOUGHT, OPENED),
        heard(PAID, GRANTED),
        heard(stand("freeze", "a", "f", id_="f"), frozen),
        seen=ledger(*rows),
    )

    assert found == ""


@pytest.mark.parametrize(
    ("asked", "rows", "blame"),
    [
        pytest.param([heard(ONE, charged(2, 14))], [RESET], "I5: it was acknowledged", id="lost"),
        pytest.param(
            [heard(ONE, charged(2, 13))], [RESET, charge(2, "k", 14)], "I5: it was", id="other"
        ),
        pytest.param(
            [heard(ONE, charged(2, 13, 2))],
            [RESET, charge(2, "k", 13, 2)],
            "I18: {'account': 'a', 'operation': 'sms', 'quantity': 1} costs 1000000",
            id="price",
        ),
        pytest.param(
            [heard(ONE, charged(2, 14)), heard(TWO, charged(2, 14))],
            [RESET, charge(2, "k", 14)],
            "I4: 2 answers say it happened just now",
            id="twice-just-now",
        ),
        pytest.param(
            [heard(ONE, charged(2, 14)), heard(TWO, replayed(charged(3, 13)))],
            [RESET, charge(2, "k", 14)],
            "I7: its answers differ",
            id="answers-differ",
        ),
        pytest.param(
            [heard(ONE, charged(2, 14)), heard(ELEVEN, replayed(charged(2, 14)))],
            [RESET, charge(2, "k", 14)],
            "I8: two bodies were both accepted",
            id="other-body",
        ),
        pytest.param(
            [heard(ONE, REFUSED)],
            [RESET, charge(2, "k", 14)],
            "I6: it was refused and is in the ledger",
            id="refused",
        ),
        pytest.param([heard(ONE, LOST)], [RESET], "I22: i1 was never answered: [0]", id="open"),
        pytest.param(
            [heard(ONE, Told(status=422, text='{"code": "idempotency_mismatch"}'))],
            [RESET],
            "i1: deduct",
            id="mismatch-with-itself",
        ),
        pytest.param(
            [heard(ONE, Told(status=403, text='{"message": "Forbidden"}'))],
            [RESET],
            "was answered 403",
            id="locked-out",
        ),
        pytest.param(
            [heard(ONE, Told(status=500, text='{"code": "ledger_corrupt"}'), REFUSED)],
            [RESET],
            "i1: 500",
            id="our-mistake",
        ),
        pytest.param(
            [], [RESET, charge(2, "k", 14)], "I17, I20: nobody asked this account", id="stranger"
        ),
        pytest.param([], [RESET, RESET], "I2: seq 1 follows 1", id="seq"),
        pytest.param([], [RESET, charge(2, "t~x", 13)], "I2: seq 2: 15000000", id="chain"),
        pytest.param([], [charge(1, "t~x", -1)], "I3: ", id="floor"),
        pytest.param(
            [heard(BOUGHT, OPENED), heard(PAID, GRANTED)], [RESET], "I12: paid is True", id="unpaid"
        ),
        pytest.param(
            [heard(BOUGHT, OPENED), heard(PAID, GRANTED)],
            [RESET, came_in(2, "s~purchase:pur_1", 5, 20)],
            "I12: the pack pro brought",
            id="pack",
        ),
        pytest.param(
            [heard(BOUGHT, OPENED), heard(PAID, GRANTED), heard(replace(PAID, id="e2"), GRANTED)],
            [RESET, came_in(2, "s~purchase:pur_1", 500, 515)],
            "I12: 2 events granted it",
            id="granted-twice",
        ),
        pytest.param(
            [],
            [RESET, came_in(2, "s~purchase:pur_2", 500, 515)],
            "I17: nobody bought it",
            id="not-bought",
        ),
        pytest.param(
            [heard(replace(PAID, kind="forged"), GRANTED)],
            [RESET],
            "forged: e1: forged was let in",
            id="forged",
        ),
    ],
)
def test_each_break_is_named(asked: list[Heard], rows: list[Row], blame: str) -> None:
    assert blame in judge(*asked, seen=ledger(*rows))


@pytest.mark.parametrize(
    ("changes", "blame"),
    [
        ({"available": 13 * MICRO}, "I1: 2 rows make 14000000"),
        ({"seq": 3}, "I1: 2 rows"),
        ({"calls": 2}, "I15: "),
        ({"credits": 2 * MICRO}, "I15: "),
        ({"failed": 1}, "I15: "),
    ],
)
def test_a_balance_or_stats_that_rows_do_not_explain_are_named(
    changes: dict[str, Any], blame: str
) -> None:
    seen = ledger(RESET, charge(2, "k", 14), **changes)

    assert blame in judge(heard(ONE, charged(2, 14)), seen=seen)


def test_a_charge_that_is_given_back_twice_is_named() -> None:
    backs = [
        heard(
            void("a", "k", key, id_=key),
            Told(status=200, text=json.dumps({"refunded": 1, "available": available, "seq": seq})),
        )
        for key, available, seq in (("v1", 15, 3), ("v2", 16, 4))
    ]
    rows = (RESET, charge(2, "k", 14), came_in(3, "v1", 1, 15, "void"))

    found = judge(
        heard(ONE, charged(2, 14)),
        *backs,
        seen=ledger(*rows, came_in(4, "v2", 1, 16, "void")),
    )

    assert "I14: it was given back by ['v1', 'v2']" in found


def test_a_grant_of_another_amount_is_named() -> None:
    ask = top_up("a", "g", 5, id_="g")
    told = Told(status=201, text='{"granted": 6, "available": 21, "seq": 2}')

    found = judge(heard(ask, told), seen=ledger(RESET, came_in(2, "g", 6, 21)))

    assert "granted 6" in found


def test_what_was_read_wrong_under_way_is_told() -> None:
    assert "a shows seq 3 after 4" in judge(seen=ledger(), wrong=("a shows seq 3 after 4",))


def test_an_unheard_try_may_have_been_done_and_a_refused_one_not() -> None:
    row = charge(2, "k", 14)

    assert judge(heard(ONE, LOST, REFUSED), seen=ledger(RESET, row)) == ""
    assert "I6" in judge(heard(ONE, REFUSED), seen=ledger(RESET, row))


def test_a_journal_tells_everything_up_to_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "client.jsonl"
    journal = Journal(path)
    journal.note_ask(ONE)
    journal.note_told(ONE, LOST)
    journal.note_told(ONE, charged(2, 14))
    journal.note_read()
    journal.note_wrong("it was wrong")
    journal.note_ask(ELEVEN)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"told": {"status": 2')

    records = read_journals([path])

    assert records.heard["i1"] == heard(ONE, LOST, charged(2, 14))
    assert records.heard["i3"] == heard(ELEVEN)
    assert (records.reads, records.wrong) == (1, ["it was wrong"])
    assert records.heard["i3"].may_be_done_unheard
