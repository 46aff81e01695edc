"""Thousands of hostile requests from a seed: no 5xx, nothing taken, no change by a refusal.

The same by the million: python -m simulation.hostile bodies 1000000 (docs/evidence/hostile.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from simulation.hostile import __main__ as command
from simulation.hostile import oracle
from simulation.hostile.corpus import good_bodies, usages
from simulation.hostile.run import MIXES, FoundError, run_attacks
from simulation.hostile.target import SECRET, Target
from tests.support.payments import available, deliver
from tests.support.requests import ASKS
from tollkeeper.domain.entries import AccountId
from tollkeeper.edge import access, http, stripe_events, wiring
from tollkeeper.edge.access import ME, Principal
from tollkeeper.edge.problems import describe
from tollkeeper.store.rows import string
from tollkeeper.store.writes import Write

COUNTS = {"bodies": 12_000, "requests": 6_000, "users": 6_000, "webhooks": 4_000}


@pytest.mark.parametrize("mix", MIXES)
def test_no_attack_breaks_anything_or_gets_through(target: Target, mix: str) -> None:
    totals = run_attacks(target, mix, COUNTS[mix], seed=1)

    assert totals.sent == COUNTS[mix]
    assert totals.demanded > totals.sent / 2, "most attacks must be attacks"
    assert not [status for status in totals.statuses if status >= 500]
    assert target.logs.failures == []


def test_the_good_requests_are_good(target: Target) -> None:
    """Else an attack could be refused for another reason than what was spoilt in it."""
    for route, bodies in good_bodies().items():
        for number, body in enumerate(bodies):
            key = body.get("hold_id") or f"good-{number}"
            answer = target.driver.call(route, body, path=dict(ASKS[route].path), key=key)
            is_standing = answer.status in (402, 403, 404, 409)
            assert answer.status in (200, 201) or is_standing, (route, body, answer.text)
            assert not oracle.refuses_body(route, json.dumps(body).encode()), (route, body)
            target.take_back()
    assert len(usages()) >= 7


def test_the_forged_event_would_bring_credits_if_it_were_signed(target: Target) -> None:
    before = available(target.driver)
    event = target.stripe.report(target.purchase, at=target.driver.clock.now())

    assert deliver(target.driver, event, secret=SECRET)["outcome"] == "granted"
    assert available(target.driver) == before + 500


def test_a_seed_repeats_its_run(target: Target) -> None:
    once = run_attacks(target, "bodies", 300, seed=5)
    again = run_attacks(target, "bodies", 300, seed=5)
    other = run_attacks(target, "bodies", 300, seed=6)

    assert once == again
    assert once != other


# ------------------------------------------------------------------------ do the attacks bite?


def reads_leniently(raw: bytes) -> Any:
    """JSON as Python reads it by itself: NaN, members twice, whatever depth."""
    return json.loads(raw)


def signs_everything(raw: bytes, header: str, *, secrets: list[str], now: datetime) -> None:
    """A signature that is not looked at."""


def refuses_and_writes(error: Any, request_id: str) -> Any:
    """A refusal that leaves something behind."""
    item = {"pk": string("A#user_1"), "sk": string(f"X#{request_id}")}
    wiring.ledger().write_puts(Write("row", {"Item": item}))
    return describe(error, request_id)


def belongs_to_another(request: http.Request) -> AccountId:
    """An account that is not the one in the path."""
    return AccountId("user_1")


def lets_everybody_in(*_: object) -> None:
    """A scope that is not asked for."""


def takes_every_account(_: Principal, named: str) -> str:
    """Whose account it is, is not asked."""
    return named


def takes_the_longest_part(principal: Principal, named: str) -> str:
    """An account that begins like the own one is taken for it."""
    own = principal.account
    if own is None or named == ME or not named.startswith(own):
        return access.own_account(principal, named)
    return own


def shows_every_purchase(_: http.Request, owner: AccountId, missing: str) -> None:
    """Whose purchase it is, is not asked."""


def opens_every_route(principal: Principal, route_key: str) -> None:
    """A user may do to the own account whatever there is to do."""
    if principal.account is None:
        access.require_scope(principal, route_key)


def reads_whatever_account(event: Mapping[str, Any], now: datetime) -> Principal:
    """The context's account is believed, whoever it says asks."""
    authorizer: dict[str, Any] = event["requestContext"].get("authorizer") or {}
    context: dict[str, str] = authorizer.get("lambda") or {}
    if not context.get("account"):
        return access.read_principal(event, now)
    return Principal("user", frozenset(), now, AccountId(context["account"]))


PLANTED: dict[str, tuple[str, object, str, object]] = {
    "lenient JSON": ("bodies", http, "read_json", reads_leniently),
    "no signature": ("webhooks", stripe_events, "verify_signature", signs_everything),
    "a refusal that writes": ("bodies", http, "describe", refuses_and_writes),
    "somebody else's account": ("requests", http.Request, "account", belongs_to_another),
    "no scope": ("requests", http, "require_scope", lets_everybody_in),
    "no owner": ("users", http, "own_account", takes_every_account),
    "an owner by the beginning": ("users", http, "own_account", takes_the_longest_part),
    "no owner of a purchase": ("users", http.Request, "require_own", shows_every_purchase),
    "every route": ("users", http, "require_scope", opens_every_route),
    "a strange context": ("users", http, "read_principal", reads_whatever_account),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_attacks_find_a_planted_bug(
    target: Target, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mix, owner, attribute, worse = PLANTED[name]
    monkeypatch.setattr(owner, attribute, worse)

    with pytest.raises(FoundError) as found:
        run_attacks(target, mix, 2_000, seed=1)

    assert found.value.number < 1_000


def test_what_was_found_says_how_to_send_it_again(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Callable[[], None]:
        raise ZeroDivisionError

    monkeypatch.setattr(http, "validate", broken)

    with pytest.raises(FoundError, match="500") as found:
        run_attacks(target, "bodies", 500, seed=1)

    assert found.value.attack.event["body"]
    assert "ZeroDivisionError" in target.logs.failures[0]


# ------------------------------------------------------------------------------- the long run


def test_a_run_says_what_it_sent_and_can_be_noted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "evidence" / "hostile.md"
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["hostile", "bodies", "200", "--seed", "3", "--note"])

    assert command.main() == 0

    section = page.read_text(encoding="utf-8")
    assert section in capsys.readouterr().out + "\n"
    assert "200 hostile bodies" in section
    assert "`python -m simulation.hostile bodies 200 --seed 3`" in section


def test_a_run_that_finds_something_shows_it_and_notes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "hostile.md"
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(http, "read_json", reads_leniently)
    monkeypatch.setattr("sys.argv", ["hostile", "bodies", "500", "--note"])

    assert command.main() == 1

    assert "attack " in capsys.readouterr().err
    assert not page.exists()
