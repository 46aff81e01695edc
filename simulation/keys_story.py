"""A service key's life: issued once, let in, revoked, and never let in again."""

from __future__ import annotations

from typing import Any

from simulation.loop import SECOND_US
from simulation.stories import Cast

ROUTE = "POST /v1/deduct"


def use_key(cast: Cast) -> None:
    """A key is issued for one scope; the authorizer knows it until it is revoked."""
    issued = cast.ask(
        "POST /v1/keys", "", {"name": cast.name, "scopes": ["deduct"]}, expects=(201,)
    )
    cast.clients.ask(issued)
    texts = [a.body["key"] for a in issued.successes() if a.body["key"]]
    if len(set(texts)) > 1:
        cast.clients.blame("I7", cast.name, "two secrets were shown for one key")
    if not texts:
        return
    _expect(cast, texts[0], route_key=ROUTE, is_let_in=True)
    _expect(cast, texts[0], route_key="POST /v1/keys", is_let_in=False)
    _expect(cast, texts[0][:-1] + "!", route_key=ROUTE, is_let_in=False)
    key_id = str(issued.successes()[0].body["key_id"])
    revoked = cast.ask(
        "DELETE /v1/keys/{key_id}", "", key="", path={"key_id": key_id}, expects=(200, 204)
    )
    cast.clients.ask(revoked)
    if revoked.successes():
        _expect(cast, texts[0], route_key=ROUTE, is_let_in=False)


def _expect(cast: Cast, text: str, *, route_key: str, is_let_in: bool) -> None:
    """The authorizer says so, unless it could not say anything."""
    event: dict[str, Any] = {"headers": {"authorization": f"Bearer {text}"}, "routeKey": route_key}
    invocation = cast.clients.deployment.invoke("authorizer", event)
    if not invocation.done.wait(30 * SECOND_US) or invocation.answer is None:
        return
    if invocation.answer["isAuthorized"] is not is_let_in:
        cast.clients.blame("access", cast.name, f"{route_key}: {invocation.answer}")
