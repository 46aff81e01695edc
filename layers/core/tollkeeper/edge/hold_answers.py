"""Holds, windows, limits and budgets as answers."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.account import Account
from tollkeeper.domain.alerts import low_balance_of, thresholds_of
from tollkeeper.domain.catalog import Catalog, Limits
from tollkeeper.domain.entries import Entry, EntryKind
from tollkeeper.domain.held import Hold
from tollkeeper.domain.limits import WIRE_NAMES
from tollkeeper.domain.money import parse_micro
from tollkeeper.domain.windows import Window
from tollkeeper.edge.wire import Amount


def show_hold_step(entry: Entry) -> dict[str, Any]:
    """What a step of a hold's life did, from its own row."""
    body: dict[str, Any] = {"hold_id": entry.hold}
    details, moved = entry.details, Amount(entry.moved_microcredits)
    match entry.kind:
        case EntryKind.HOLD:
            body |= {"required": moved, "expires_at": details["expires_at"]}
        case EntryKind.HOLD_EXTENDED:
            body |= {"expires_at": details["expires_at"]}
        case EntryKind.SETTLE:
            body |= {
                "charged": moved,
                "released": Amount(int(details.get("released_microcredits", "0"))),
                "expired": Amount(entry.expired_microcredits),
                "uncollected": Amount(entry.uncollected_microcredits),
                "late": "late" in details,
                "final": "part" not in details,
            }
        case _:
            expired = Amount(entry.expired_microcredits)
            body |= {"released": moved, "expired": expired}
    return body


def show_transfer(entry: Entry) -> dict[str, Any]:
    """What a budget was given or gave back, from the row of the account that funds it."""
    moved = Amount(entry.moved_microcredits)
    body: dict[str, Any] = {"budget": entry.details.get("budget")}
    if entry.kind is EntryKind.TRANSFER_OUT:
        available = Amount(int(entry.details["budget_available_microcredits"]))
        return body | {"transferred": moved, "budget_available": available}
    return body | {"returned": moved, "expired": Amount(entry.expired_microcredits)}


def show_limits_change(entry: Entry) -> dict[str, Any]:
    """The limits that a row set, each as it was asked for; null took one away."""
    details = entry.details
    names = [name for name in WIRE_NAMES.values() if name in details]
    limits: dict[str, Any] = {name: _show_set(details[name]) for name in names}
    if "alert_thresholds" in details:
        text = details["alert_thresholds"]
        limits["alert_thresholds"] = None if text == "default" else [*map(int, text.split(","))]
    if "low_balance" in details:
        limits["low_balance"] = _show_set(details["low_balance"])
    return {"limits": limits, "set_by": details["set_by"]}


def _show_set(text: str) -> Amount | None:
    is_none = text in ("none", "default")
    return None if is_none else Amount(parse_micro(text, "limits", allow_zero=True))


def show_hold(hold: Hold) -> dict[str, Any]:
    """An open hold as its account lists it."""
    return {
        "hold_id": hold.id,
        "held": Amount(hold.amount_microcredits),
        "operation": hold.terms.operation,
        "model": hold.terms.model or None,
        "opened_at": hold.opened_at.isoformat(),
        "expires_at": hold.expires_at.isoformat(),
    }


def show_window(window: Window) -> dict[str, Any]:
    """A window with its limit, and how much of that is spent."""
    limit = window.limit_microcredits
    return {
        "window": window.name,
        "spent": Amount(window.spent_microcredits),
        "limit": None if limit is None else Amount(limit),
        "percent": window.percent(),
        "resets_at": window.resets_at.isoformat(),
    }


def show_limits(account: Account, catalog: Catalog) -> dict[str, Any]:
    """The limits in force, who set which, and when alerts ring."""
    own = account.limits
    return {
        **_show_levels(account.limits_in_force(catalog)),
        "operator": _show_levels(own.operator),
        "user": _show_levels(own.user),
        "alert_thresholds": list(thresholds_of(account, catalog)),
        "low_balance": Amount(low_balance_of(account, catalog)),
    }


def _show_levels(limits: Limits) -> dict[str, Any]:
    levels = ((name, getattr(limits, word)) for word, name in WIRE_NAMES.items())
    return {name: None if limit is None else Amount(limit) for name, limit in levels}
