"""What a table's steps ask for: each line's words as a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.property.handlers.customers import Ask

UNITS = {"s": 1, "m": 60, "h": 3600}
ACCOUNT = "/v1/accounts/{id}"


@dataclass(frozen=True)
class Words:
    """A step's words, whom they are about, and the key it has where it names none."""

    account: str
    words: tuple[str, ...]
    number: int

    def after(self, word: str) -> str | None:
        """The word that follows this one, where it is there."""
        return self.words[self.words.index(word) + 1] if word in self.words else None

    def key(self) -> str:
        """The key that the step names with `as`, else a new one."""
        return self.after("as") or f"step-{self.number}"

    def members(self, **names: str) -> dict[str, Any]:
        """The members whose words are there, with what follows each; `none` is null."""
        found = {name: self.after(word) for name, word in names.items() if word in self.words}
        return {name: None if text == "none" else text for name, text in found.items()}


def read_ask(words: Words) -> Ask:
    """The request of the step."""
    return ASKS[words.words[0]](words)


def _open(words: Words) -> Ask:
    """`open [in <zone>]`: the first touch, on the default plan."""
    body = {"name": "Ada", **words.members(zone="in")}
    return Ask(f"PUT {ACCOUNT}/profile", words.account, body, words.key())


def _grant(words: Words) -> Ask:
    """`grant <credits> <kind> [until <moment>] [from <moment>]`."""
    body = {"amount": words.words[1], "kind": words.words[2], "reason": "table"}
    for name, moment in words.members(expires_at="until", effective_at="from").items():
        body[name] = f"{moment}:00Z"
    return Ask(f"POST {ACCOUNT}/grants", words.account, body, words.key())


def _charge(words: Words) -> Ask:
    """`charge <operation> [x <quantity>] [run <most>] [as <key>]`."""
    body = {"operation": words.words[1], **words.members(quantity="x", per_run_max="run")}
    return Ask("POST /v1/deduct", words.account, body, words.key())


def _hold(words: Words) -> Ask:
    """`hold <id> <operation> <credits>|x <quantity> [for <span>] [run <most>]`."""
    body: dict[str, Any] = {"operation": words.words[2]}
    body |= words.members(quantity="x", per_run_max="run")
    if "quantity" not in body:
        body["estimate"] = words.words[3]
    if "for" in words.words:
        body["expires_in_s"] = read_span(words.after("for") or "")
    return Ask("POST /v1/holds", words.account, body, words.words[1])


def _settle(words: Words) -> Ask:
    """`settle <id> <credits>|x <quantity> [part] [as <key>]`."""
    body: dict[str, Any] = words.members(quantity="x")
    if "quantity" not in body:
        body["amount"] = words.words[2]
    is_part = "part" in words.words
    body |= {"final": False} if is_part else {}
    key = words.key() if is_part else ""
    return Ask("POST /v1/holds/{hold_id}/settle", words.account, body, key, words.words[1])


def _release(words: Words) -> Ask:
    """`release <id> [because <word>]`."""
    body = {"reason": words.after("because") or "failed"}
    return Ask("POST /v1/holds/{hold_id}/release", words.account, body, "", words.words[1])


def _extend(words: Words) -> Ask:
    """`extend <id> <span> [as <key>]`."""
    body = {"expires_in_s": read_span(words.words[2])}
    return Ask("POST /v1/holds/{hold_id}/extend", words.account, body, words.key(), words.words[1])


def _limits(words: Words) -> Ask:
    """`limits [daily N|none] [monthly N|none] [run N|none] [low N] [at 50,80] [by user]`."""
    body = words.members(daily="daily", monthly="monthly", per_run_max="run", low_balance="low")
    body |= words.members(set_by="by")
    if "at" in words.words:
        body["alert_thresholds"] = [int(each) for each in (words.after("at") or "").split(",")]
    return Ask(f"PUT {ACCOUNT}/limits", words.account, {**body, "reason": "table"}, words.key())


def _budget(words: Words) -> Ask:
    """`budget <child> <credits> [daily N] [monthly N] [run N]`."""
    body = {"budget": words.words[1], "amount": words.words[2], "reason": "table"}
    body |= words.members(daily="daily", monthly="monthly", per_run_max="run")
    return Ask(f"POST {ACCOUNT}/budgets", words.account, body, words.key())


def _close_budget(words: Words) -> Ask:
    """`close_budget <child>`."""
    route = f"POST {ACCOUNT}/budgets/{{budget}}/close"
    return Ask(route, words.account, {"reason": "done"}, words.key(), words.words[1])


def _adjust(words: Words) -> Ask:
    """`adjust +N` or `adjust -N`."""
    body = {"amount": words.words[1].removeprefix("+"), "reason": "table"}
    return Ask(f"POST {ACCOUNT}/adjustments", words.account, body, words.key())


def _change(words: Words) -> Ask:
    """`change <plan> now|at_end`."""
    at = {"now": "now", "at_end": "period_end"}[words.words[2]]
    return Ask(f"PUT {ACCOUNT}/plan", words.account, {"plan": words.words[1], "at": at})


def _void(words: Words) -> Ask:
    """`void <key>`."""
    route = f"POST {ACCOUNT}/entries/{{key}}/void"
    return Ask(route, words.account, None, words.key(), words.words[1])


def _refund(words: Words) -> Ask:
    """`refund <key> [<credits>]`."""
    body = {"key": words.words[1], "reason": "table"}
    if len(words.words) > 2 and words.words[2] != "as":
        body["amount"] = words.words[2]
    return Ask(f"POST {ACCOUNT}/refunds", words.account, body, words.key())


def _stand(words: Words) -> Ask:
    """`freeze`, `unfreeze` or `close`."""
    route = f"POST {ACCOUNT}/{words.words[0]}"
    return Ask(route, words.account, {"reason": "table"}, words.key())


def read_span(text: str) -> int:
    """Seconds: `90s`, `15m` or `2h`."""
    return int(text[:-1]) * UNITS[text[-1]]


ASKS: dict[str, Callable[[Words], Ask]] = {
    "open": _open,
    "grant": _grant,
    "charge": _charge,
    "hold": _hold,
    "settle": _settle,
    "release": _release,
    "extend": _extend,
    "limits": _limits,
    "budget": _budget,
    "close_budget": _close_budget,
    "adjust": _adjust,
    "change": _change,
    "void": _void,
    "refund": _refund,
    "freeze": _stand,
    "unfreeze": _stand,
    "close": _stand,
}
