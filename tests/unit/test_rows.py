"""What a row of the ledger says: who asked, why, for what, and how much it was about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.unit.building import (
    ACCOUNT,
    CATALOG,
    NOON,
    ONE,
    a_key,
    a_run,
    an_account,
    charged,
    done,
    draft_of,
    granted,
)
from tollkeeper.domain.account import Account
from tollkeeper.domain.charges import (
    Charge,
    GiveBack,
    decide_charge,
    decide_give_back,
    decide_run_failed,
)
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.errors import InsufficientCreditsError
from tollkeeper.domain.gate import refuse_unable
from tollkeeper.domain.offers import Help
from tollkeeper.domain.operating import (
    Adjust,
    ChangePlan,
    ChangeProfile,
    ChangeStanding,
    GiveGrant,
    decide_adjustment,
    decide_grant,
    decide_plan_change,
    decide_profile_change,
    decide_standing,
)
from tollkeeper.domain.roll import begin

COMMAND = (a_key("k9"), "hash-9", "a reason", "key_9")
CHARGE = Charge(a_key("k9"), "hash-9", a_run(), actor="key_9", metadata='{"a":1}')


def give_back(kind: EntryKind) -> Entry:
    """The row of a void or a refund."""
    account, entry = charged(an_account(), a_run())
    command = GiveBack(a_key("k9"), "hash-9", entry, kind, reason="a reason", actor="key_9")
    return done(decide_give_back(draft_of(account), command))[1]


def change_plan(**asked: object) -> Entry:
    """The row of a change to the plan pro."""
    command = ChangePlan(*COMMAND, plan="pro", **asked)  # type: ignore[arg-type]
    return done(decide_plan_change(draft_of(an_account()), command, CATALOG))[1]


def adjust(delta: int) -> Entry:
    """The row of a correction."""
    command = Adjust(*COMMAND, delta_microcredits=delta)
    return done(decide_adjustment(draft_of(an_account()), command))[1]


def profile(**asked: str) -> Entry:
    """The row of a change of name or zone."""
    command = ChangeProfile(*COMMAND, **asked)
    return done(decide_profile_change(draft_of(an_account()), command))[1]


def row(name: str) -> Entry:
    """The row that the command of that name writes."""
    match name:
        case "charge":
            return done(decide_charge(draft_of(an_account()), CHARGE, CATALOG))[1]
        case "failed":
            return done(decide_run_failed(draft_of(an_account()), CHARGE))[1]
        case "void" | "refund":
            return give_back(EntryKind(name))
        case "grant":
            command = GiveGrant(*COMMAND, amount_microcredits=ONE, details=(("ticket", "7"),))
            return done(decide_grant(draft_of(an_account()), command))[1]
        case "up" | "down":
            return adjust(ONE if name == "up" else -ONE)
        case "plan" | "later":
            return change_plan(at_period_end=name == "later")
        case "profile":
            return profile(name="Jo", zone="Europe/Berlin")
        case _:
            command = ChangeStanding(*COMMAND, kind=EntryKind.FREEZE)
            return done(decide_standing(draft_of(an_account()), command))[1]


COMMANDS = ["charge", "failed", "void", "refund", "grant", "up", "down", "plan", "later"]
WITH_REASON = [*COMMANDS[2:], "profile", "freeze"]


@pytest.mark.parametrize("name", [*COMMANDS, "profile", "freeze"])
def test_a_row_has_the_key_the_request_and_the_caller_of_its_command(name: str) -> None:
    """Why: a repeat is recognised by the request's hash, and an operator found by the actor."""
    entry = row(name)

    assert (entry.key, entry.request_hash, entry.actor) == (a_key("k9"), "hash-9", "key_9")
    assert entry.account == ACCOUNT


@pytest.mark.parametrize("name", WITH_REASON)
def test_a_row_that_somebody_decided_on_says_why(name: str) -> None:
    assert row(name).reason == "a reason"


@pytest.mark.parametrize("name", ["charge", "failed"])
def test_a_run_keeps_what_the_app_wrote_to_it_and_counts_on_its_day(name: str) -> None:
    entry = row(name)

    assert entry.metadata == '{"a":1}'
    assert entry.day == date(2026, 11, 20)


@pytest.mark.parametrize("name", ["failed", "void", "refund"])
def test_only_a_charge_has_the_lines_of_its_price(name: str) -> None:
    run = row(name).run
    bought = row("charge").run

    assert bought is not None and bought.lines
    assert run is not None and run.lines == ()
    assert run.operation == bought.operation


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("charge", ONE),
        ("failed", 0),
        ("void", ONE),
        ("refund", ONE),
        ("grant", ONE),
        ("up", ONE),
        ("down", ONE),
        ("profile", 0),
    ],
)
def test_a_row_says_how_much_it_was_about(name: str, moved: int) -> None:
    assert row(name).moved_microcredits == moved


def test_a_grant_keeps_the_details_that_it_was_given_with() -> None:
    assert row("grant").details == {"ticket": "7"}


def test_a_change_of_profile_says_what_it_was_changed_to() -> None:
    assert row("profile").details == {"name": "Jo", "zone": "Europe/Berlin"}
    assert profile(name="Jo").details == {"name": "Jo"}


def test_a_change_of_plan_says_from_where_to_where_and_when() -> None:
    assert row("plan").details == {"from": "free", "to": "pro", "at": "now"}
    assert row("later").details == {"from": "free", "to": "pro", "at": "period_end"}


def test_an_opening_on_a_plan_leaves_none_but_that_plan() -> None:
    draft, _ = begin(None, ACCOUNT, now=NOON, catalog=CATALOG, plan_id="pro")

    _, entry = done(decide_plan_change(draft, ChangePlan(*COMMAND, plan="pro"), CATALOG))

    assert entry.details == {"from": "pro", "to": "pro", "at": "opening"}


def test_a_reset_says_which_plan_began_and_until_when() -> None:
    draft, _ = begin(None, ACCOUNT, now=NOON, catalog=CATALOG)

    assert draft.entries[0].details == {
        "plan": "free",
        "period_end": "2026-12-01T00:00:00+00:00",
    }


def test_credits_that_expire_or_start_are_what_their_row_is_about() -> None:
    """Why: what debt takes at once, a delta alone would not show."""
    account, _ = granted(an_account(), 5, key="g1", lasts=timedelta(hours=1))
    account, _ = granted(account, 3, key="g2", starts_in=timedelta(hours=2))
    draft = draft_of(account, NOON + timedelta(hours=3))

    assert [(e.kind, e.moved_microcredits) for e in draft.entries] == [
        (EntryKind.EXPIRE, 5 * ONE),
        (EntryKind.GRANT, 3 * ONE),
    ]


def test_a_correction_up_is_a_grant_of_all_of_it() -> None:
    entry = adjust(3 * ONE)

    assert entry.grant is not None
    assert entry.grant.amount_microcredits == 3 * ONE


def test_a_correction_of_one_microcredit_is_one_and_of_none_makes_no_grant() -> None:
    one, none = adjust(1), adjust(0)

    assert one.grant is not None and (one.delta_microcredits, one.draws) == (1, ())
    assert none.grant is None and (none.delta_microcredits, none.draws) == (0, ())


def test_credits_that_find_no_home_come_back_as_a_grant_of_all_of_them() -> None:
    account, _ = granted(an_account("deep"), 5, key="g1", lasts=timedelta(hours=1))
    account, entry = charged(account, a_run("call", quantity=2 * ONE), key="k2")
    draft = draft_of(account, NOON + timedelta(hours=2))

    command = GiveBack(a_key("v"), "h", entry, EntryKind.VOID)
    _, row = done(decide_give_back(draft, command))

    assert row.grant is not None
    assert row.grant.amount_microcredits == row.grant.remaining_microcredits == 2 * ONE


def test_a_feature_is_counted_where_the_accounts_own_plan_limits_it() -> None:
    on_pro: Account = an_account("pro")

    account, _ = charged(on_pro, a_run("call"))

    assert account.features == {}


def test_a_refusal_offers_the_pack_that_covers_what_is_missing_and_not_what_is_needed() -> None:
    with pytest.raises(InsufficientCreditsError) as refusal:
        refuse_unable(an_account(), a_run("chat", model="gpt-4", tokens=1800), CATALOG)

    assert refusal.value.shortfall_microcredits == 98 * ONE
    assert isinstance(refusal.value.help, Help)
    assert [pack.id for pack in refusal.value.help.offers] == ["small"]


def test_a_refusal_of_a_flat_run_whose_tokens_are_known_names_the_operation() -> None:
    priced = a_run("video", tokens=7)
    without_model = replace(priced, run=replace(priced.run, model=""))
    account, _ = charged(an_account(), a_run("video"))

    with pytest.raises(InsufficientCreditsError, match=r"^video needs 7 credits; 3 are available"):
        refuse_unable(account, without_model, CATALOG)
