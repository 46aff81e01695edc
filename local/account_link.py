"""`/_local/account/<id>`: a link on this machine that opens the account page as that account.

It does what an app's backend does when its user clicks "Credits": it asks for a customer token
with its service key, and sends the browser to the page with the token in the fragment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

from local.wire import Answer, Request, message_answer

PATH = "/_local/account/"
TOKENS_PATH = "/v1/tokens"


class AccountLink:
    """Answers requests for the links; `open` says by whom tokens are minted."""

    def __init__(self) -> None:
        self._respond: Callable[[Request], Answer] | None = None
        self._key = ""

    def open(self, respond: Callable[[Request], Answer], *, key: str) -> None:
        """Links work from now on: tokens come from this API with this service key."""
        self._respond, self._key = respond, key

    def serves(self, path: str) -> bool:
        """The path is a link."""
        return path.startswith(PATH)

    def respond(self, request: Request, path: str) -> Answer:
        """The way to the page with a fresh token, or what the API says against it."""
        if request.method != "GET" or self._respond is None:
            return message_answer(404)
        minted = self._respond(self._ask(request, path.removeprefix(PATH)))
        if minted.status != 201:
            return minted
        token = cast("Mapping[str, str]", json.loads(minted.body))["token"]
        headers = (("Location", f"/#token={token}"), ("Cache-Control", "no-store"))
        return Answer(status=303, headers=headers)

    def _ask(self, request: Request, account: str) -> Request:
        return Request(
            method="POST",
            target=TOKENS_PATH,
            protocol="HTTP/1.1",
            headers=(
                ("host", request.header("host") or "localhost"),
                ("authorization", f"Bearer {self._key}"),
                ("content-type", "application/json"),
            ),
            body=json.dumps({"account": account}).encode(),
            source_ip=request.source_ip,
        )
