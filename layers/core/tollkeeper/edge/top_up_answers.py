"""Top-ups as answers: the rule, what became of it, and what a row says of it."""

from __future__ import annotations

from typing import Any

from tollkeeper.domain.billing import TopUpRule
from tollkeeper.domain.entries import Entry
from tollkeeper.domain.money import parse_micro, show_price
from tollkeeper.edge.wire import Amount


def show_rule(rule: TopUpRule) -> dict[str, Any]:
    """The rule as it was set."""
    most = rule.most_minor
    return {
        "pack": rule.pack,
        "below": Amount(rule.below_microcredits),
        "most_purchases": rule.most_purchases,
        "monthly_cap": None if most is None else show_price(most, rule.currency),
        "price": show_price(rule.price_minor, rule.currency),
        "currency": rule.currency,
        "on": rule.is_on,
        "return_url": rule.return_url or None,
    }


def show_top_up_row(entry: Entry) -> dict[str, Any]:
    """What a row says: the rule that was set, so that a replay says the same."""
    details = entry.details
    if "pack" not in details or "below" not in details:
        return {"kind": entry.kind.value, **details}
    cap = details["monthly_cap"]
    rule = {
        "pack": details["pack"],
        "below": Amount(parse_micro(details["below"], "below")),
        "most_purchases": int(details["most_purchases"]),
        "monthly_cap": None if cap == "none" else cap,
        "price": details["price"],
        "currency": details["currency"],
        "on": details["on"] == "true",
        "return_url": details["return_url"] or None,
    }
    return {"top_up": rule}
