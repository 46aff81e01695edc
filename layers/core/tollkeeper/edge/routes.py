"""Every route there is, the function that serves it and the scope it needs: deny the rest."""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC = "public"
SIGNATURE = "signature"

SCOPES = frozenset({"check", "deduct", "read", "grant", "refund", "admin", "purchase", "report"})


@dataclass(frozen=True, slots=True)
class Route:
    """Who serves a route and who may call it.

    `asks_itself`: API Gateway lets everybody through and the function asks, because the
    catalog decides whether the route is public.
    """

    function: str
    scope: str
    asks_itself: bool = False


ROUTES: dict[str, Route] = {
    "POST /v1/check": Route("check", "check"),
    "POST /v1/estimate": Route("check", "check"),
    "POST /v1/deduct": Route("deduct", "deduct"),
    "POST /v1/accounts/{id}/entries/{key}/void": Route("deduct", "deduct"),
    "POST /v1/holds": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/settle": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/release": Route("hold", "deduct"),
    "POST /v1/holds/{hold_id}/extend": Route("hold", "deduct"),
    "POST /v1/accounts/{id}/budgets": Route("budget", "deduct"),
    "POST /v1/accounts/{id}/budgets/{budget}/close": Route("budget", "deduct"),
    "GET /v1/accounts/{id}": Route("account", "read"),
    "GET /v1/accounts/{id}/entries": Route("account", "read"),
    "GET /v1/accounts/{id}/entries/{key}": Route("account", "read"),
    "GET /v1/accounts/{id}/purchases": Route("account", "read"),
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
    "PUT /v1/accounts/{id}/limits": Route("admin", "admin"),
    "POST /v1/accounts/{id}/freeze": Route("admin", "admin"),
    "POST /v1/accounts/{id}/unfreeze": Route("admin", "admin"),
    "POST /v1/accounts/{id}/close": Route("admin", "admin"),
    "GET /v1/accounts/{id}/top-up": Route("account", "read"),
    "PUT /v1/accounts/{id}/top-up": Route("admin", "purchase"),
    "POST /v1/accounts/{id}/redeem": Route("admin", "purchase"),
    "POST /v1/codes": Route("admin", "admin"),
    "GET /v1/codes": Route("admin", "admin"),
    "DELETE /v1/codes/{code}": Route("admin", "admin"),
    "POST /v1/keys": Route("admin", "admin"),
    "GET /v1/keys": Route("admin", "admin"),
    "DELETE /v1/keys/{key_id}": Route("admin", "admin"),
    "GET /v1/accounts/{id}/stats": Route("stats", "read"),
    "GET /v1/verify/{id}": Route("verify", "admin"),
    "POST /v1/reconcile": Route("reconcile", "admin"),
    "GET /v1/packs": Route("checkout", "read", asks_itself=True),
    "GET /v1/catalog": Route("checkout", "read", asks_itself=True),
    "POST /v1/checkout": Route("checkout", "purchase"),
    "POST /v1/portal": Route("checkout", "purchase"),
    "GET /v1/purchases/{purchase_id}": Route("checkout", "purchase"),
    "POST /v1/purchases/{purchase_id}/refund": Route("checkout", "refund"),
    "POST /v1/webhooks/stripe": Route("purchase_webhook", SIGNATURE),
}
