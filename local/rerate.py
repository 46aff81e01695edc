"""Every charge that waits for its price and has one by now is priced anew, through the API.

    TOLLKEEPER_KEY=tk_live_... python -m local.rerate --url URL --reason "gpt-9 has a price"

The key needs the scope `admin`. Each charge is asked for under a key that follows from it, so the
command may be stopped and run again. What the catalog does not know yet is left waiting.
Exit: 0 where nothing is left that has a price, 1 where something could not be done, 2 where the
API does not answer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

TIMEOUT_S = 30
MOST_TRIES = 5
BUSY = frozenset({429, 503})
LEFT_WAITING = frozenset({"still_unknown", "unknown_operation"})
GONE = frozenset({"already_rerated", "already_refunded"})

Body = dict[str, Any]
Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Body]]


class ApiError(Exception):
    """The API does not answer as it should; the sentence says how."""


def send_http(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Any:
    """The status and the body that were answered. Raises: ApiError."""
    request = Request(url, data=body, method=method, headers=dict(headers))
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status, json.loads(answer.read(), parse_float=Decimal)
    except HTTPError as error:
        return error.code, _read_problem(error)
    except (URLError, OSError, ValueError) as error:
        raise ApiError(f"{url} does not answer: {error}") from error


def _read_problem(error: HTTPError) -> Body:
    try:
        found: object = json.loads(error.read())
    except ValueError:
        found = None
    return cast("Body", found) if isinstance(found, dict) else {}


class Api:
    """The API of one stack, for somebody with an operator's key."""

    def __init__(
        self, url: str, key: str, *, send: Send = send_http, wait: Callable[[float], None]
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._send = send
        self._wait = wait

    def call(
        self, method: str, path: str, *, body: Body | None = None, key: str = ""
    ) -> tuple[int, Body]:
        """The answer, asked for again while the API is busy. Raises: ApiError."""
        headers = self._headers | ({"idempotency-key": key} if key else {})
        raw = None if body is None else json.dumps(body).encode()
        status, answer = 0, Body()
        for number in range(MOST_TRIES):
            status, answer = self._send(method, self._url + path, headers, raw)
            if status not in BUSY:
                break
            self._wait(0.2 * 2**number)
        return status, answer

    def waiting(self) -> Iterator[Body]:
        """Every charge that waits for its price. Raises: ApiError."""
        cursor = ""
        while True:
            query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
            status, page = self.call("GET", f"/v1/quarantine?{urlencode(query)}")
            if status != 200:
                raise ApiError(f"GET /v1/quarantine answers {status}: {page.get('detail', page)}")
            yield from page["charges"]
            if page["next_cursor"] is None:
                return
            cursor = page["next_cursor"]

    def rerate(self, charge: Body, reason: str) -> tuple[str, Body]:
        """What became of the charge: `rerated`, or the code of the refusal. Raises: ApiError."""
        account, key = quote(charge["account"], safe=""), quote(charge["key"], safe="")
        path = f"/v1/accounts/{account}/entries/{key}/rerate"
        status, answer = self.call("POST", path, body={"reason": reason}, key=key_of(charge))
        return "rerated" if status == 200 else str(answer.get("code") or status), answer


def key_of(charge: Body) -> str:
    """The idempotency key of a charge's correction: the same one each time."""
    digest = hashlib.sha256(f"{charge['account']}\n{charge['key']}".encode()).hexdigest()
    return f"rerate:{digest[:40]}"


def rerate_all(api: Api, reason: str) -> Counter[str]:
    """How many charges became what; each that changed has a line on stdout. Raises: ApiError."""
    found: Counter[str] = Counter()
    for charge in list(api.waiting()):
        outcome, answer = api.rerate(charge, reason)
        found[outcome] += 1
        name = f"{charge['account']} {charge['key']} {charge['model']}"
        if outcome == "rerated":
            sys.stdout.write(f"{name}: {answer['before']} -> {answer['price']}\n")
        elif outcome not in LEFT_WAITING | GONE:
            sys.stderr.write(f"{name}: {outcome} {answer.get('detail', '')}\n")
    return found


def main(arguments: Sequence[str], *, send: Send = send_http) -> int:
    """What has a price is priced. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="rerate", description=str(__doc__).split("\n")[0])
    parser.add_argument("--url", required=True, help="the output ApiUrl")
    parser.add_argument("--reason", required=True, help="what the ledger keeps as the reason")
    asked = parser.parse_args(arguments)
    key = os.environ.get("TOLLKEEPER_KEY")
    if not key:
        parser.error("the environment needs TOLLKEEPER_KEY, a service key with the scope admin")
    try:
        found = rerate_all(Api(asked.url, key, send=send, wait=time.sleep), asked.reason)
    except ApiError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    left = sum(found[code] for code in LEFT_WAITING)
    sys.stdout.write(f"{found['rerated']} charges were priced anew, {left} still wait\n")
    return 1 if set(found) - {"rerated"} - LEFT_WAITING - GONE else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
