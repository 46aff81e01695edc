"""Service keys over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from tollkeeper.edge.authorization import gatehouse
from tollkeeper.edge.bodies import KeyBody
from tollkeeper.edge.commands import read_keyed
from tollkeeper.edge.http import Answer, Request
from tollkeeper.edge.observability import log_fact
from tollkeeper.service.keys import KeyRequest, issue_key, list_keys, revoke_key
from tollkeeper.store.api_keys import ServiceKey


def answer_keys(request: Request) -> Response[str]:
    """Keys are listed, issued or revoked, by the request's method.

    Raises: MalformedError, InvalidError, IdempotencyMismatchError, NotFoundError.
    """
    method = request.route_key.partition(" ")[0]
    return {"POST": answer_issue, "DELETE": answer_revoke}.get(method, answer_list)(request)


def answer_issue(request: Request) -> Response[str]:
    """A new key; its text is in this answer and nowhere else.

    Raises: MalformedError, InvalidError, IdempotencyMismatchError, ForbiddenError.
    """
    body, members = request.body(KeyBody)
    keyed = read_keyed(request, "", members)
    issued = issue_key(
        gatehouse(),
        KeyRequest(
            name=body.name,
            scopes=tuple(body.scopes),
            idempotency_key=keyed.key,
            request_hash=keyed.request_hash,
            created_by=keyed.actor,
            expires_at=body.expires_at,
        ),
    )
    log_fact("key issued", key_id=issued.key.id, by=keyed.actor)
    answer = _show_key(issued.key) | {"key": issued.text}
    return Answer(answer, status=201, was_replayed=issued.text is None).to_response()


def answer_list(request: Request) -> Response[str]:
    """All keys, without their secrets."""
    assert request.principal(), "only somebody known lists keys"
    return Answer({"keys": [_show_key(key) for key in list_keys(gatehouse())]}).to_response()


def answer_revoke(request: Request) -> Response[str]:
    """The key is revoked. Raises: NotFoundError, UnauthorizedError, ForbiddenError."""
    by = request.principal().name
    key = revoke_key(gatehouse(), request.path("key_id"))
    log_fact("key revoked", key_id=key.id, by=by)
    return Answer(_show_key(key)).to_response()


def _show_key(key: ServiceKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
