"""Where the simulated Stripe is served: its API for the functions, its pages for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from local.stripe import dashboard, pay_page, portal_page
from local.stripe.desk import Desk
from local.stripe.markup import LARGEST_FORM_BYTES, read_fields
from local.wire import Answer, Request, message_answer

API_PATH = "/_stripe/"
PAY_PATH = "/_local/checkout/"
PORTAL_PATH = "/_local/portal/"


class StripeSite:
    """Answers requests for the simulated Stripe's own paths."""

    def __init__(self, desk: Desk, *, log: Callable[[str], None]) -> None:
        self._desk = desk
        self._log = log

    def serves(self, path: str) -> bool:
        """The path is Stripe's."""
        return path == dashboard.PATH or path.startswith((API_PATH, PAY_PATH, PORTAL_PATH))

    def respond(self, request: Request, path: str) -> Answer:
        """The answer; what fails inside is Stripe's own failure and not the gateway's."""
        try:
            return self._api(request) if path.startswith(API_PATH) else self._page(request, path)
        except Exception as error:  # noqa: BLE001 - the edge of Stripe, as for a function
            self._log(f"the simulated Stripe failed: {type(error).__name__}: {error}")
            body = b'{"error": {"type": "api_error", "message": "The simulated Stripe failed."}}'
            return Answer(status=500, headers=(("Content-Type", "application/json"),), body=body)

    def _api(self, request: Request) -> Answer:
        target = request.target[len(API_PATH) - 1 :]
        status, headers, body = self._desk.answer(
            request.method, target, dict(request.headers), request.body
        )
        return Answer(status=status, headers=tuple(headers.items()), body=body)

    def _page(self, request: Request, path: str) -> Answer:
        if request.method not in ("GET", "POST"):
            return message_answer(405)
        fields: Mapping[str, str] = {}
        if request.method == "POST":
            if len(request.body) > LARGEST_FORM_BYTES:
                return message_answer(413)
            if not _is_from_here(request):
                return message_answer(403)
            fields = read_fields(request.body)
        action = fields.get("action", "") if request.method == "POST" else None
        id_ = fields.get("id", "")
        if path.startswith(PAY_PATH):
            return pay_page.respond(self._desk, path.removeprefix(PAY_PATH), action=action)
        if path.startswith(PORTAL_PATH):
            portal = path.removeprefix(PORTAL_PATH)
            return portal_page.respond(self._desk, portal, action=action, id_=id_)
        return dashboard.respond(self._desk, action=action, id_=id_)


def _is_from_here(request: Request) -> bool:
    """No page of another site sent the form: browsers say whose page it was."""
    origin = request.header("origin")
    return origin is None or urlsplit(origin).netloc == (request.header("host") or "").lower()
