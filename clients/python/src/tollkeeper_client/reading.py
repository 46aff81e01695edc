"""How each reply becomes its answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tollkeeper_client.answers import (
    Account,
    Charge,
    Check,
    Entry,
    EntryPage,
    Estimate,
    Extension,
    Feature,
    Grant,
    Hold,
    Members,
    OpenHold,
    Raw,
    Release,
    Settlement,
    Void,
    Window,
    read_members,
)
from tollkeeper_client.sending import Reply


def _answer(reply: Reply, members: Members) -> dict[str, Any]:
    replayed = reply.headers.get("idempotency-replayed", "").lower() == "true"
    return {"was_replayed": replayed, "raw": members.raw}


def _balance(reply: Reply, members: Members) -> dict[str, Any]:
    return {
        **_answer(reply, members),
        "available": members.maybe_decimal("available"),
        "held": members.maybe_decimal("held"),
        "debt": members.maybe_decimal("debt"),
        "seq": members.maybe_int("seq"),
    }


def _priced(members: Members) -> dict[str, Any]:
    return {
        "key": members.maybe_text("key"),
        "cost_usd": members.maybe_decimal("cost_usd"),
        "breakdown": members.rows("breakdown"),
        "price_version": members.maybe_text("price_version"),
        "warnings": members.rows("warnings"),
    }


def read_check(reply: Reply) -> Check:
    """The answer of a check."""
    members = read_members(reply)
    return Check(
        **_answer(reply, members),
        allowed=members.flag("allowed"),
        required=members.decimal("required"),
        available=members.maybe_decimal("available"),
        spendable=members.maybe_decimal("spendable"),
        warnings=members.rows("warnings"),
    )


def read_estimate(reply: Reply) -> Estimate:
    """The answer of an estimate."""
    members = read_members(reply)
    return Estimate(
        **_answer(reply, members),
        min=members.decimal("min"),
        typical=members.decimal("typical"),
        max=members.decimal("max"),
        explanation=members.maybe_text("explanation") or "",
        quote_id=members.maybe_text("quote_id"),
    )


def read_charge(reply: Reply) -> Charge:
    """The answer of a deduct."""
    members = read_members(reply)
    return Charge(
        **_balance(reply, members), **_priced(members), charged=members.decimal("charged")
    )


def read_settlement(reply: Reply) -> Settlement:
    """The answer of a settle."""
    members = read_members(reply)
    return Settlement(
        **_balance(reply, members),
        **_priced(members),
        charged=members.decimal("charged"),
        hold_id=members.maybe_text("hold_id"),
        released=members.decimal("released"),
        uncollected=members.maybe_decimal("uncollected") or Decimal(0),
        late=members.flag("late"),
    )


def read_hold(reply: Reply) -> Hold:
    """The answer of a hold."""
    members = read_members(reply)
    return Hold(
        **_answer(reply, members),
        **_priced(members),
        hold_id=members.text("hold_id"),
        held=members.decimal("required", "held"),
        available=members.maybe_decimal("available"),
        debt=members.maybe_decimal("debt"),
        seq=members.maybe_int("seq"),
        expires_at=members.maybe_moment("expires_at"),
    )


def read_release(reply: Reply) -> Release:
    """The answer of a release."""
    members = read_members(reply)
    return Release(
        **_balance(reply, members),
        key=members.maybe_text("key"),
        hold_id=members.text("hold_id"),
        released=members.decimal("released"),
    )


def read_extension(reply: Reply) -> Extension:
    """The answer of an extension."""
    members = read_members(reply)
    return Extension(
        **_balance(reply, members),
        key=members.maybe_text("key"),
        hold_id=members.text("hold_id"),
        expires_at=members.moment("expires_at"),
    )


def read_void(reply: Reply) -> Void:
    """The answer of a void."""
    members = read_members(reply)
    return Void(
        **_balance(reply, members),
        key=members.maybe_text("key"),
        charge=members.text("charge"),
        refunded=members.decimal("refunded"),
    )


def read_account(reply: Reply) -> Account:
    """The answer of a look at an account."""
    members = read_members(reply)
    totals = Members(dict(members.part("totals")))
    return Account(
        **_balance(reply, members),
        account=members.text("account"),
        status=members.text("status"),
        spendable=members.decimal("spendable"),
        plan=members.part("plan"),
        zone=members.maybe_text("zone") or "UTC",
        grants=tuple(_grant(Members(row)) for row in members.rows("grants")),
        holds=tuple(_open_hold(Members(row)) for row in members.rows("holds")),
        windows=tuple(_window(Members(row)) for row in members.rows("windows")),
        features=tuple(_feature(Members(row)) for row in members.rows("features")),
        totals={name: totals.decimal(name) for name in totals.raw},
        warnings=members.rows("warnings"),
    )


def _grant(members: Members) -> Grant:
    return Grant(
        id=members.text("id"),
        kind=members.text("kind"),
        amount=members.decimal("amount"),
        remaining=members.decimal("remaining"),
        expires_at=members.maybe_moment("expires_at"),
    )


def _open_hold(members: Members) -> OpenHold:
    return OpenHold(
        hold_id=members.text("hold_id"),
        held=members.decimal("held"),
        operation=members.maybe_text("operation"),
        model=members.maybe_text("model"),
        opened_at=members.maybe_moment("opened_at"),
        expires_at=members.maybe_moment("expires_at"),
    )


def _window(members: Members) -> Window:
    return Window(
        window=members.text("window"),
        spent=members.decimal("spent"),
        limit=members.maybe_decimal("limit"),
        percent=members.maybe_decimal("percent"),
        resets_at=members.maybe_moment("resets_at"),
    )


def _feature(members: Members) -> Feature:
    return Feature(
        feature=members.text("feature"),
        used=members.decimal("used"),
        limit=members.maybe_decimal("limit"),
    )


def read_entries(reply: Reply) -> EntryPage:
    """The answer of a look at the history."""
    members = read_members(reply)
    return EntryPage(
        **_answer(reply, members),
        entries=tuple(_entry(row) for row in members.rows("entries")),
        next_cursor=members.maybe_text("next_cursor"),
    )


def _entry(row: Raw) -> Entry:
    members = Members(row)
    return Entry(
        seq=int(members.decimal("seq")),
        key=members.text("key"),
        kind=members.text("kind"),
        delta=members.decimal("delta"),
        available_after=members.decimal("available_after"),
        at=members.moment("at"),
        operation=members.maybe_text("operation"),
        model=members.maybe_text("model"),
        feature=members.maybe_text("feature"),
        charged=members.maybe_decimal("charged"),
        raw=row,
    )
