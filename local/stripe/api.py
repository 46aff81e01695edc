"""Stripe's API over HTTP, as far as this project calls it: a request in, an answer out.

It speaks what the SDK speaks: forms in, JSON out, idempotency keys that answer the same for a day,
and errors with the types and codes that the SDK turns into its exceptions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from local.stripe.calls import CALLS, Asked, Call
from local.stripe.parameters import read_form, read_parameters
from local.stripe.refusals import StripeRefusedError, invalid
from local.stripe.state import ANSWER, Object, StripeState

Reply = tuple[int, dict[str, str], bytes]

KEPT_S = 86_400
LONGEST_KEY = 255
MOST_LISTED = 100


def respond(
    state: StripeState,
    now: int,
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes = b"",
) -> Reply:
    """The answer to one request; the state has moved on where the call changed something.

    Shape: `target` is path and query; header names in any case.
    """
    given = {name.lower(): value for name, value in headers.items()}
    path, _, query = target.partition("?")
    version = given.get("stripe-version") or state.api_version
    shared = {
        "Content-Type": "application/json",
        "Request-Id": state.new_id("req", length=14),
        "Stripe-Version": version,
    }
    try:
        _check_key(given)
        call, id_ = _find_call(method, path)
        text = query if method == "GET" else body.decode("utf-8", errors="replace")
        key = given.get("idempotency-key") if method == "POST" else None
        if key is None:
            status, answer = _carry_out(state, now, call, id_, text=text, version=version, url=path)
            return status, shared, _as_bytes(answer)
        stored = _find_stored(state, now, key, mark=_mark(path, text))
        if stored is None:
            state.request_key = key
            status, answer = _carry_out(state, now, call, id_, text=text, version=version, url=path)
            mark = _mark(path, text)
            state.answers[key] = {"at": now, "mark": mark, "status": status, "answer": answer}
            state.touched.add((ANSWER, key))
            return status, {**shared, "Idempotency-Key": key}, _as_bytes(answer)
        replay = {"Idempotency-Key": key, "Idempotent-Replayed": "true"}
        return int(stored["status"]), shared | replay, _as_bytes(stored["answer"])
    except StripeRefusedError as refusal:
        return refusal.status, shared, _as_bytes({"error": refusal.error})
    finally:
        state.request_key = None


def _carry_out(
    state: StripeState, now: int, call: Call, id_: str, *, text: str, version: str, url: str
) -> tuple[int, Object]:
    """The status and answer of a call that was carried out, a refusal by the bank included.

    Raises: StripeRefusedError where it never began.
    """
    params = read_parameters(read_form(text), call.takes)
    limit = params.get("limit")
    if limit is not None and not 1 <= limit <= MOST_LISTED:
        raise invalid(f"This value must be between 1 and {MOST_LISTED}.", param="limit")
    asked = Asked(state=state, now=now, url=url, params=params, version=version, id=id_)
    try:
        # A copy: what is kept for a repeat must not change with the state.
        return 200, json.loads(json.dumps(call.does(asked)))
    except StripeRefusedError as refusal:
        if not refusal.has_begun:
            raise
        return refusal.status, {"error": json.loads(json.dumps(refusal.error))}


def _check_key(headers: Mapping[str, str]) -> None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(("sk_test_", "rk_test_")):
        refusal = invalid("Invalid API Key provided. Use a test key: sk_test_...")
        refusal.status = 401
        raise refusal


def _find_call(method: str, path: str) -> tuple[Call, str]:
    for call in CALLS:
        id_ = call.match(method, path)
        if id_ is not None:
            return call, id_
    refusal = invalid(f"Unrecognized request URL ({method}: {path}).")
    refusal.status = 404
    raise refusal


def _find_stored(state: StripeState, now: int, key: str, *, mark: str) -> Object | None:
    """What the key answered before. Raises: StripeRefusedError where it asked something else."""
    if len(key) > LONGEST_KEY:
        raise invalid(f"Idempotency keys have at most {LONGEST_KEY} characters.")
    stored = state.answers.get(key)
    if stored is None or now - int(stored["at"]) >= KEPT_S:
        return None
    if stored["mark"] != mark:
        refusal = invalid(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant another request."
        )
        refusal.error["type"] = "idempotency_error"
        raise refusal
    return stored


def _mark(path: str, text: str) -> str:
    return hashlib.sha256(f"{path}\n{text}".encode()).hexdigest()


def _as_bytes(answer: Object) -> bytes:
    return json.dumps(answer).encode()
