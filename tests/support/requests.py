"""What every route reads, and bodies that none may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tests.support.hostile import BAD_CURSORS, BAD_DAYS, BAD_KEYS, BAD_LIMITS
from tollkeeper.edge import bodies, checkout_bodies, payment_bodies, top_up_bodies

ACCOUNT = "user_1"
CHARGE = "seed"
HOLD = "held_1"
BUDGET = "team_1"
CODE = "SEEDED"


@dataclass(frozen=True)
class Asks:
    """What a route reads: a request that it would take, and the kind of each of its members.

    `is_keyed`: it needs an Idempotency-Key. `may_be_empty`: a request without a body is fine.
    """

    model: type[BaseModel] | None = None
    good: dict[str, str] = field(default_factory=dict[str, str])
    members: dict[str, str] = field(default_factory=dict[str, str])
    path: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    is_keyed: bool = False
    may_be_empty: bool = False
    refuses_all: bool = False

    def raw(self, **changed: str) -> str:
        """The good body with some members put in as raw texts."""
        members = {**self.good, **changed}
        return "{" + ", ".join(f'"{name}": {text}' for name, text in members.items()) + "}"


WANTED = {
    "account": "account",
    "operation": "operation",
    "quantity": "quantity",
    "usage": "usage",
    "model": "model",
    "feature": "label",
    "service": "label",
    "subtype": "label",
    "plan": "catalog id",
    "role": "label",
    "per_run_max": "quantity",
    "quote_id": "quote",
    "provider": "provider",
    "service_tier": "service tier",
    "resource": "resource",
    "metadata": "metadata",
}
RUN = {**WANTED, "response_time_ms": "count", "occurred_at": "occurred_at", "success": "flag"}
LEVELS = {"daily": "quantity", "monthly": "quantity", "per_run_max": "quantity"}
RUN_GOOD = {"account": f'"{ACCOUNT}"', "operation": '"sms"'}
STANDING = Asks(
    bodies.StandingBody,
    {"reason": '"r"'},
    {"reason": "reason"},
    path={"id": ACCOUNT},
    is_keyed=True,
)
OF_ACCOUNT: dict[str, Any] = {"path": {"id": ACCOUNT}}

ASKS: dict[str, Asks] = {
    "POST /v1/check": Asks(bodies.CheckBody, RUN_GOOD, {**RUN, "estimate": "quantity"}),
    "POST /v1/estimate": Asks(bodies.CheckBody, RUN_GOOD, {**RUN, "estimate": "quantity"}),
    "POST /v1/deduct": Asks(bodies.RunBody, RUN_GOOD, RUN, is_keyed=True),
    "POST /v1/accounts/{id}/entries/{key}/void": Asks(
        bodies.VoidBody,
        {},
        {"reason": "optional reason"},
        path={"id": ACCOUNT, "key": CHARGE},
        is_keyed=True,
        may_be_empty=True,
    ),
    "POST /v1/holds": Asks(
        bodies.HoldBody,
        RUN_GOOD,
        {**WANTED, "estimate": "quantity", "hold_id": "optional id", "expires_in_s": "seconds"},
    ),
    "POST /v1/holds/{hold_id}/settle": Asks(
        bodies.SettleBody,
        {"account": f'"{ACCOUNT}"', "amount": "1"},
        {
            "account": "account",
            "usage": "usage",
            "quantity": "quantity",
            "amount": "quantity",
            "resource": "resource",
            "model": "model",
            "provider": "provider",
            "service_tier": "service tier",
            "final": "flag",
            "response_time_ms": "count",
            "occurred_at": "occurred_at",
            "metadata": "metadata",
        },
        path={"hold_id": HOLD},
    ),
    "POST /v1/holds/{hold_id}/release": Asks(
        bodies.ReleaseBody,
        {"account": f'"{ACCOUNT}"'},
        {"account": "account", "reason": "optional reason"},
        path={"hold_id": HOLD},
    ),
    "POST /v1/holds/{hold_id}/extend": Asks(
        bodies.ExtendBody,
        {"account": f'"{ACCOUNT}"', "expires_in_s": "60"},
        {"account": "account", "expires_in_s": "seconds"},
        path={"hold_id": HOLD},
        is_keyed=True,
    ),
    "POST /v1/accounts/{id}/budgets": Asks(
        bodies.BudgetBody,
        {"budget": '"team_2"', "amount": "1"},
        {"budget": "account", "amount": "amount", **LEVELS, "reason": "optional reason"},
        is_keyed=True,
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/budgets/{budget}/close": Asks(
        bodies.VoidBody,
        {},
        {"reason": "optional reason"},
        path={"id": ACCOUNT, "budget": BUDGET},
        is_keyed=True,
        may_be_empty=True,
    ),
    "GET /v1/accounts/{id}": Asks(**OF_ACCOUNT),
    "GET /v1/accounts/{id}/entries": Asks(
        query={"limit": BAD_LIMITS, "cursor": BAD_CURSORS, "unknown": ("1",)}, **OF_ACCOUNT
    ),
    "GET /v1/accounts/{id}/entries/{key}": Asks(path={"id": ACCOUNT, "key": CHARGE}),
    "POST /v1/accounts/{id}/grants": Asks(
        bodies.GrantBody,
        {"amount": "1", "reason": '"r"'},
        {
            "amount": "amount",
            "reason": "reason",
            "kind": "choice",
            "effective_at": "moment",
            "expires_at": "past moment",
            "priority": "priority",
        },
        is_keyed=True,
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/adjustments": Asks(
        bodies.AdjustmentBody,
        {"amount": "1", "reason": '"r"'},
        {"amount": "signed amount", "reason": "reason"},
        is_keyed=True,
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/refunds": Asks(
        bodies.RefundBody,
        {"key": f'"{CHARGE}"', "reason": '"r"'},
        {"key": "key", "amount": "quantity", "reason": "reason"},
        is_keyed=True,
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/entries/{key}/rerate": Asks(
        bodies.StandingBody,
        {"reason": '"r"'},
        {"reason": "reason"},
        path={"id": ACCOUNT, "key": CHARGE},
        is_keyed=True,
        refuses_all=True,
    ),
    "GET /v1/quarantine": Asks(
        query={"limit": BAD_LIMITS, "cursor": BAD_CURSORS, "unknown": ("1",)}
    ),
    "GET /v1/quarantine/payments": Asks(
        query={"limit": BAD_LIMITS, "cursor": BAD_CURSORS, "unknown": ("1",)}
    ),
    "POST /v1/quarantine/payments/{case}/release": Asks(
        payment_bodies.ReleaseCaseBody,
        {"action": '"dismiss"', "reason": '"r"'},
        {
            "action": "choice",
            "account": "optional id",
            "credits": "quantity",
            "reason": "reason",
        },
        path={"case": "case_" + "0" * 32},
        is_keyed=True,
        refuses_all=True,
    ),
    "GET /v1/accounts/{id}/purchases": Asks(
        query={"limit": BAD_LIMITS, "cursor": BAD_CURSORS, "unknown": ("1",)}, **OF_ACCOUNT
    ),
    "POST /v1/purchases/{purchase_id}/refund": Asks(
        payment_bodies.RefundPurchaseBody,
        {"reason": '"r"'},
        {"amount": "quantity", "reason": "reason"},
        path={"purchase_id": "pur_" + "0" * 32},
        is_keyed=True,
        refuses_all=True,
    ),
    "PUT /v1/accounts/{id}/entitlements": Asks(
        checkout_bodies.EntitlementsBody,
        {"features": '["a"]'},
        {"features": "features", "reason": "optional reason"},
        **OF_ACCOUNT,
    ),
    "PUT /v1/accounts/{id}/plan": Asks(
        bodies.PlanBody,
        {"plan": '"pro"'},
        {
            "plan": "catalog id",
            "role": "label",
            "anchor": "day",
            "at": "choice",
            "reason": "optional reason",
        },
        **OF_ACCOUNT,
    ),
    "PUT /v1/accounts/{id}/profile": Asks(
        bodies.ProfileBody,
        {"name": '"Ada"'},
        {"zone": "zone", "name": "name", "reason": "optional reason"},
        **OF_ACCOUNT,
    ),
    "PUT /v1/accounts/{id}/limits": Asks(
        bodies.LimitsBody,
        {"daily": "50"},
        {
            **LEVELS,
            "alert_thresholds": "thresholds",
            "low_balance": "amount or zero",
            "set_by": "choice",
            "reason": "optional reason",
        },
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/freeze": STANDING,
    "POST /v1/accounts/{id}/unfreeze": STANDING,
    "POST /v1/accounts/{id}/close": STANDING,
    "GET /v1/accounts/{id}/top-up": Asks(**OF_ACCOUNT),
    "GET /v1/accounts/{id}/live": Asks(**OF_ACCOUNT),
    "PUT /v1/accounts/{id}/top-up": Asks(
        top_up_bodies.TopUpBody,
        {"pack": '"pro"', "below": "20"},
        {
            "pack": "pack",
            "below": "quantity",
            "most_purchases": "small count",
            "monthly_cap": "quantity",
            "on": "flag",
            "return_url": "optional url",
            "disputes": "optional choice",
            "reason": "optional reason",
        },
        **OF_ACCOUNT,
    ),
    "POST /v1/accounts/{id}/redeem": Asks(
        top_up_bodies.RedeemBody,
        {"code": f'"{CODE}"'},
        {"code": "promo code"},
        is_keyed=True,
        **OF_ACCOUNT,
    ),
    "POST /v1/codes": Asks(
        top_up_bodies.CodeBody,
        {"code": '"WELCOME"', "credits": "5", "reason": '"r"'},
        {
            "code": "promo code",
            "credits": "amount",
            "reason": "reason",
            "most_redemptions": "small count",
            "expires_at": "past moment",
            "grant_days": "small count",
            "plans": "plans",
        },
        is_keyed=True,
    ),
    "GET /v1/codes": Asks(query={"limit": BAD_LIMITS, "cursor": BAD_CURSORS, "unknown": ("1",)}),
    "DELETE /v1/codes/{code}": Asks(path={"code": "NOBODY-MADE-IT"}, refuses_all=True),
    "POST /v1/keys": Asks(
        bodies.KeyBody,
        {"name": '"n"', "scopes": '["read"]'},
        {"name": "required label", "scopes": "scopes", "expires_at": "past moment"},
        is_keyed=True,
    ),
    "GET /v1/keys": Asks(),
    "DELETE /v1/keys/{key_id}": Asks(path={"key_id": "0123456789ab"}, refuses_all=True),
    "POST /v1/tokens": Asks(
        bodies.TokenBody,
        {"account": f'"{ACCOUNT}"'},
        {"account": "account", "expires_in_s": "token seconds"},
    ),
    "GET /v1/accounts/{id}/stats": Asks(
        query={
            "from": BAD_DAYS,
            "to": BAD_DAYS,
            "bucket": ("", "hour", "DAY", "day,week"),
            "group_by": ("", "account", "operation,model"),
            "unknown": ("1",),
        },
        **OF_ACCOUNT,
    ),
    "GET /v1/accounts": Asks(
        query={"limit": BAD_LIMITS, "cursor": BAD_KEYS, "prefix": BAD_KEYS, "unknown": ("1",)}
    ),
    "GET /v1/reports/usage": Asks(
        query={
            "from": BAD_DAYS,
            "to": BAD_DAYS,
            "bucket": ("", "hour", "DAY", "day,week"),
            "group_by": ("", "account", "operation,model"),
            "unknown": ("1",),
        }
    ),
    "GET /v1/reports/customers": Asks(
        query={"from": BAD_DAYS, "to": BAD_DAYS, "limit": BAD_LIMITS, "unknown": ("1",)}
    ),
    "GET /v1/verify/{id}": Asks(**OF_ACCOUNT),
    "POST /v1/reconcile": Asks(
        bodies.ReconcileBody,
        {"from": '"2026-11-20T00:00:00Z"', "to": '"2026-11-20T12:00:00Z"'},
        {"from": "required moment", "to": "required moment", "cursor": "reconcile cursor"},
    ),
    "GET /v1/packs": Asks(),
    "GET /v1/catalog": Asks(),
    "POST /v1/checkout": Asks(
        checkout_bodies.CheckoutBody,
        {
            "account": f'"{ACCOUNT}"',
            "pack": '"pro"',
            "success_url": '"http://localhost:3000/ok"',
            "cancel_url": '"http://localhost:3000/no"',
        },
        {
            "account": "account",
            "pack": "pack",
            "plan": "catalog id",
            "success_url": "url",
            "cancel_url": "url",
            "save_card": "flag",
        },
        is_keyed=True,
    ),
    "POST /v1/portal": Asks(
        checkout_bodies.PortalBody,
        {"account": f'"{ACCOUNT}"', "return_url": '"http://localhost:3000/account"'},
        {"account": "account", "return_url": "url"},
        refuses_all=True,
    ),
    "GET /v1/purchases/{purchase_id}": Asks(path={"purchase_id": "pur_0"}, refuses_all=True),
    "POST /v1/webhooks/stripe": Asks(refuses_all=True),
}


def bad_bodies(asks: Asks) -> list[tuple[str, str | bytes]]:
    """Bodies that no route may take, whatever its members: a name for each, and the body."""
    good = asks.raw()
    inside = good[1:-1]
    comma = ", " if inside else ""
    deep = 10_000
    found: list[tuple[str, str | bytes]] = [
        ("null", "null"),
        ("a list", "[]"),
        ("a text", '"text"'),
        ("a number", "5"),
        ("true", "true"),
        ("not closed", good[:-1]),
        ("two objects", good + good),
        ("a comment", good + " // yes"),
        ("a comma too many", good[:-1] + ",}"),
        ("single quotes", "{'a': 1}"),
        ("an unknown member", "{" + inside + comma + '"surprise": 1}'),
        ("a member of nothing", "{" + inside + comma + '"": 1}'),
        ("many unknown members", "{" + ", ".join(f'"u{n}": {n}' for n in range(4000)) + "}"),
        ("a long member", "{" + inside + comma + '"' + "u" * 60_000 + '": 1}'),
        ("a member twice", "{" + inside + comma + '"reason": "a", "reason": "b"}'),
        ("a deep list", "{" + inside + comma + '"u": ' + "[" * deep + "]" * deep + "}"),
        ("a deep object", "{" + inside + comma + '"u": ' + '{"u":' * deep + "1" + "}" * (deep + 1)),
        ("33 levels", "{" + inside + comma + '"u": ' + "[" * 33 + "]" * 33 + "}"),
        ("a lone surrogate", "{" + inside + comma + r'"u": "\ud800"}'),
        ("a lone surrogate as a name", "{" + inside + comma + r'"\udfff": 1}'),
        ("65 KB", "{" + inside + comma + '"u": "' + "u" * 66_000 + '"}'),
        ("bad UTF-8", good.encode()[:-1] + b', "u": "\xff\xfe"}'),
        ("cut UTF-8", '{"é'.encode()[:-1]),
        ("overlong UTF-8", b'{"\xc0\xaf": 1}'),
        ("surrogates in UTF-8", b'{"\xed\xa0\x80": 1}'),
        ("a byte order mark", b"\xef\xbb\xbf" + good.encode()),
        ("UTF-16", good.encode("utf-16")),
        ("a NUL", good + "\x00"),
        ("NaN", '{"u": NaN}'),
        ("Infinity", '{"u": -Infinity}'),
        ("5,000 digits", '{"u": ' + "9" * 5000 + "}"),
    ]
    if not asks.may_be_empty:
        found += [("nothing", ""), ("spaces", "  \n")]
    if asks.good:
        found.append(("an empty object", "{}"))
        name, text = next(iter(asks.good.items()))
        found.append(("its first member twice", "{" + inside + f', "{name}": {text}' + "}"))
    return found
