"""The running system as the browser tests use it: where it is, and what a backend can ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.browser.origin import Origin
from tests.e2e.running_gateway import Reply, RunningGateway


@dataclass(frozen=True, kw_only=True)
class System:
    """One gateway and one origin of an app, for all tests of a process; accounts are per test."""

    gateway: RunningGateway
    origin: Origin
    demo_port: int

    @property
    def url(self) -> str:
        """Where API and pages are served."""
        return self.gateway.url

    @property
    def key(self) -> str:
        """A service key with every scope."""
        return self.gateway.key

    def new_account(self) -> str:
        """The name of an account that no other test uses; it opens with 15 credits when touched."""
        return f"user_{secrets.token_hex(6)}"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer to one request with the service key, whatever its status."""
        client = self.gateway.client()
        try:
            return client.ask(method, path, body, idempotency_key=idempotency_key, headers=headers)
        finally:
            client.close()

    def do(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
        """The parsed answer of a request that must succeed; a POST gets a key of its own."""
        if method == "POST" and key is None:
            key = f"browser-{secrets.token_hex(8)}"
        reply = self.ask(method, path, body, idempotency_key=key)
        assert 200 <= reply.status < 300, (method, path, reply.status, reply.body[:500])
        return reply.json

    def grant(self, account: str, amount: object, **members: object) -> Any:
        """The account has so many credits more: a promo grant, unless `kind` says another."""
        body = {"amount": amount, "kind": "promo", "reason": "a test"} | members
        return self.do("POST", f"/v1/accounts/{quote(account, safe='')}/grants", body)

    def charge(self, account: str, operation: str = "chat_refinement", **members: object) -> Any:
        """One run is charged: a chat of 1 credit, unless operation and members say another."""
        key = members.pop("key", None)
        body = {"account": account, "operation": operation} | members
        return self.do("POST", "/v1/deduct", body, key=None if key is None else str(key))

    def spend_down_to(self, account: str, left: int) -> None:
        """Exactly so many whole credits are available: SMS of 1 credit each are charged."""
        above = int(self.account(account)["available"]) - left
        if above > 0:
            self.charge(account, "sms", quantity=above)
        elif above < 0:
            self.grant(account, -above)

    def account(self, account: str) -> Any:
        """The account as its owner reads it."""
        return self.do("GET", f"/v1/accounts/{quote(account, safe='')}")

    def token_for(self, account: str, **members: object) -> str:
        """A customer token of the account; the service key where no route mints tokens."""
        body = {"account": account} | members
        reply = self.ask("POST", "/v1/tokens", body, idempotency_key=f"t-{secrets.token_hex(8)}")
        if reply.status == 404:
            return self.key
        assert reply.status == 201, (reply.status, reply.body[:500])
        return str(reply.json["token"])
