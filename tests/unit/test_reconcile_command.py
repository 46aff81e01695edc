"""`make reconcile`: the whole range is asked for, cursor by cursor, and the report is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from local.reconcile import main, read_moment

ASKED = ["--url", "https://api/", "--from", "2026-11-01", "--to", "2026-12-01"]


def told(what: str, **changes: Any) -> dict[str, Any]:
    """One line of a report."""
    usual = {"kind": "charges", "id": "ch_1", "purchase": None, "account": None, "reason": None}
    return usual | {"what": what} | changes


class Stack:
    """An API that answers one report after the other, and is busy first."""

    def __init__(self, *reports: dict[str, Any], busy: int = 0, status: int = 200) -> None:
        self.reports = reports
        self.busy = busy
        self.status = status
        self.sent: list[dict[str, Any]] = []

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        """What it answers."""
        assert (method, url) == ("POST", "https://api/v1/reconcile")
        assert headers["authorization"] == "Bearer tk_live_secret"
        if self.busy:
            self.busy -= 1
            return 503, {"code": "busy"}
        asked: dict[str, Any] = json.loads(body or b"")
        self.sent.append(asked)
        number = int(asked.get("cursor", "charges:0").partition(":")[2])
        more = f"charges:{number + 1}" if number + 1 < len(self.reports) else None
        counts = {"charges": {"seen": 2, "fine": 1, "healed": 1, "quarantined": 0}}
        usual: dict[str, Any] = {"counts": counts, "healed": [], "differs": [], "next_cursor": more}
        return self.status, usual | self.reports[number]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment, and no waiting."""
    monkeypatch.setenv("TOLLKEEPER_KEY", "tk_live_secret")
    monkeypatch.setattr("local.reconcile.time.sleep", print)


def test_the_whole_range_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    healed = told("granted", purchase="pur_1", account="ada")
    stack = Stack({"healed": [healed]}, {}, {}, busy=2)

    assert main(ASKED, send=stack.send) == 0

    span = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    assert stack.sent == [
        span,
        span | {"cursor": "charges:1"},
        span | {"cursor": "charges:2"},
    ]
    said = capsys.readouterr().out
    assert "healed   charges ch_1 granted pur_1 ada\n" in said
    assert said.splitlines()[-1].split() == ["charges", "6", "3", "3", "0"]


def test_what_differs_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    stack = Stack({"differs": [told("refund_differs", reason="why")]})

    assert main(ASKED, send=stack.send) == 1

    assert "differs  charges ch_1 refund_differs: why\n" in capsys.readouterr().out


def test_an_api_that_refuses_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED, send=Stack({"detail": "no"}, status=403).send) == 2

    assert "answers 403: no" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T12:00:00+01:00", "2026-11-01T11:00:00Z"),
    ],
)
def test_days_and_moments_are_taken(text: str, moment: str) -> None:
    assert read_moment(text) == moment


def test_a_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLKEEPER_KEY")

    with pytest.raises(SystemExit):
        main(ASKED)
