"""Every route there is, the function that serves it and the scope it needs: deny the rest."""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC = "public"
SIGNATURE = "signature"

SCOPES = frozenset(
    {"check", "deduct", "read", "grant", "refund", "admin", "purchase", "report", "token"}
)


@dataclass(frozen=True, slots=True)
class Route:
    """Who serves a route and who may call it.

    `asks_itself`: API Gateway lets everybody through and the function asks, because the
    catalog decides whether the route is public. `is_own`: the user of an account may call it for
    that account; nothing there moves credits.
    """

    function: str
    scope: str
    asks_itself: bool = False
    is_own: bool = False


ROUTES: dict[str, Route] = {
    "GET /": Route("account_page", PUBLIC),
    "GET /operator": Route("account_page", PUBLIC),
    "GET /web/{file+}": Route("account_page", PUBLIC),
    "POST /v1/check": Route("check", "check", is_own=True),
    "POST /v1/estimate": Route("check", "check", is_own=True),
    "POST /v1/deduct": Route("deduct", "deduct"),
    "POST /v1/accounts/{id}/entries/{key}/void": Route("deduct", "deduct"),
    "POST /v1/holds": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/settle": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/release": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/extend": Route("hold", "deduct"),
    "POST /v1/accounts/{id}/budgets": Route("budget", "deduct"),
    "POST /v1/accounts/{id}/budgets/{budget}/close": Route("budget", "deduct"),
    "GET /v1/accounts": Route("account", "admin"),
    "GET /v1/accounts/{id}": Route("account", "read", is_own=True),
    "GET /v1/accounts/{id}/entries": Route("account", "read", is_own=True),
    "GET /v1/accounts/{id}/entries/{key}": Route("account", "read", is_own=True),
    "GET /v1/accounts/{id}/live": Route("account", "read", is_own=True),
    "GET /v1/accounts/{id}/purchases": Route("account", "read", is_own=True),
    "POST /v1/accounts/{id}/grants": Route("admin", "grant"),
    "POST /v1/accounts/{id}/adjustments": Route("admin", "admin"),
    "POST /v1/accounts/{id}/refunds": Route("admin", "refund"),
    "POST /v1/accounts/{id}/entries/{key}/rerate": Route("admin", "admin"),
    "GET /v1/quarantine": Route("admin", "admin"),
    "GET /v1/quarantine/payments": Route("admin", "admin"),
    "POST /v1/quarantine/payments/{case}/release": Route("admin", "admin"),
    "PUT /v1/accounts/{id}/plan": Route("admin", "admin"),
    "PUT /v1/accounts/{id}/entitlements": Route("admin", "admin"),
    "PUT /v1/accounts/{id}/profile": Route("admin", "admin"),
    "PUT /v1/accounts/{id}/limits": Route("admin", "admin", is_own=True),
    "POST /v1/accounts/{id}/freeze": Route("admin", "admin"),
    "POST /v1/accounts/{id}/unfreeze": Route("admin", "admin"),
    "POST /v1/accounts/{id}/close": Route("admin", "admin"),
    "GET /v1/accounts/{id}/top-up": Route("account", "read", is_own=True),
    "PUT /v1/accounts/{id}/top-up": Route("admin", "purchase"),
    "POST /v1/accounts/{id}/redeem": Route("admin", "purchase"),
    "POST /v1/codes": Route("admin", "admin"),
    "GET /v1/codes": Route("admin", "admin"),
    "DELETE /v1/codes/{code}": Route("admin", "admin"),
    "POST /v1/keys": Route("admin", "admin"),
    "GET /v1/keys": Route("admin", "admin"),
    "DELETE /v1/keys/{key_id}": Route("admin", "admin"),
    "POST /v1/tokens": Route("admin", "token"),
    "GET /v1/accounts/{id}/stats": Route("stats", "read", is_own=True),
    "GET /v1/reports/usage": Route("stats", "report"),
    "GET /v1/reports/customers": Route("stats", "report"),
    "GET /v1/verify/{id}": Route("verify", "admin"),
    "POST /v1/reconcile": Route("reconcile", "admin"),
    "GET /v1/packs": Route("checkout", "read", asks_itself=True, is_own=True),
    "GET /v1/catalog": Route("checkout", "read", asks_itself=True, is_own=True),
    "POST /v1/checkout": Route("checkout", "purchase", is_own=True),
    "POST /v1/portal": Route("checkout", "purchase", is_own=True),
    "GET /v1/purchases/{purchase_id}": Route("checkout", "purchase", is_own=True),
    "POST /v1/purchases/{purchase_id}/refund": Route("checkout", "refund"),
    "POST /v1/webhooks/stripe": Route("purchase_webhook", SIGNATURE),
}

# What programs call: every route but the public ones, which serve pages and their files.
API_ROUTES: dict[str, Route] = {key: each for key, each in ROUTES.items() if each.scope != PUBLIC}
