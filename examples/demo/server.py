"""The demo app's backend: who is signed in, tokens for their page, and the chat.

Only this process has the service key. A page gets a token that reads one account for 15 minutes.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import httpx

from examples.demo.characters import BY_ID, CHARACTERS
from examples.demo.chat import Ask, Event, Message, answer, make_ask
from tollkeeper_client import InsufficientCreditsError, Tollkeeper
from tollkeeper_client.amounts import write_json

PAGE = Path(__file__).parent / "page"
MODULES = Path(__file__).resolve().parents[2] / "clients" / "web" / "modules"
COOKIE = "demo_user"
LARGEST_BODY_BYTES = 20_000
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
# Two people who use the app. Real ones come from the app's own sign-in.
USERS: Mapping[str, str] = {"mina": "Mina", "jonas": "Jonas"}


@dataclass(kw_only=True)
class App:
    """All that a request needs. `api` is where Tollkeeper is; `key` never leaves this process."""

    api: str
    key: str
    live: str | None = None
    pause_s: float = 0.0
    tollkeeper: Tollkeeper = field(init=False)
    ask: Ask = field(init=False)

    def __post_init__(self) -> None:
        self.tollkeeper = Tollkeeper(self.api, self.key)
        self.ask = make_ask(self.tollkeeper, pause_s=self.pause_s)

    def close(self) -> None:
        """The client's connections are closed."""
        self.tollkeeper.close()

    def mint(self, user: str) -> Mapping[str, object]:
        """A token for the user's page: its own account, and nothing that moves credits."""
        headers = {"Authorization": f"Bearer {self.key}"}
        body = {"account": user, "expires_in_s": 900}
        reply = httpx.post(f"{self.api}/v1/tokens", json=body, headers=headers, timeout=10)
        reply.raise_for_status()
        minted: dict[str, object] = reply.json()
        return {"token": minted["token"], "expires_at": minted["expires_at"]}

    def policy(self) -> str:
        """What the page may load and call: itself and Tollkeeper's API."""
        live = f" {self.live}" if self.live else ""
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' {self.api}{live}; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        )


class Requests(http.server.BaseHTTPRequestHandler):
    """One request of the demo's page."""

    app: App
    server_version = "demo"

    def do_GET(self) -> None:
        """The page, its files, the elements, or who is signed in."""
        path = self.path.partition("?")[0]
        if not self._names_this_machine():
            self._send_json(403, {"title": "Not under this name"})
        elif path == "/api/me":
            characters = [
                {
                    "id": each.id,
                    "name": each.name,
                    "about": each.about,
                    "model": each.model,
                    "operation": each.operation,
                }
                for each in CHARACTERS
            ]
            me = {"user": self._user(), "users": USERS, "characters": characters}
            self._send_json(200, {**me, "api": self.app.api, "page": "/account"})
        elif path == "/account":
            self._account_page()
        elif path == "/favicon.ico":
            self._send(200, b"", kind="image/x-icon")
        elif path.startswith("/tollkeeper/"):
            self._send_file(MODULES, path.removeprefix("/tollkeeper/"))
        else:
            self._send_file(PAGE, path.removeprefix("/") or "index.html")

    def do_POST(self) -> None:
        """Signs in, mints a token, or asks a character."""
        routes: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "/api/sign-in": self._sign_in,
            "/api/token": self._token,
            "/api/chat": self._chat,
        }
        route, body = routes.get(self.path), self._body()
        if not self._names_this_machine():
            self._send_json(403, {"title": "Not under this name"})
        elif route is None or body is None:
            self._send_json(404 if route is None else 400, {"title": "Not understood"})
        else:
            route(body)

    def _account_page(self) -> None:
        """Tollkeeper's own account page, with a token in the fragment, which no server sees."""
        token = self.app.mint(self._user())["token"]
        self._send(
            303, b"", kind=KINDS[".html"], headers={"Location": f"{self.app.api}/#token={token}"}
        )

    def _sign_in(self, body: Mapping[str, Any]) -> None:
        user = body.get("user")
        if user not in USERS:
            self._send_json(422, {"title": "Nobody of that name"})
            return
        cookie = f"{COOKIE}={user}; Path=/; HttpOnly; SameSite=Lax"
        self._send_json(200, {"user": user}, headers={"Set-Cookie": cookie})

    def _token(self, _body: Mapping[str, Any]) -> None:
        """Whose token it is, the session says, never the request."""
        try:
            self._send_json(200, self.app.mint(self._user()))
        except (httpx.HTTPError, KeyError):
            self._send_json(503, {"title": "No token now"})

    def _chat(self, body: Mapping[str, Any]) -> None:
        character, text = BY_ID.get(str(body.get("character"))), str(body.get("text", "")).strip()
        if character is None or not text:
            self._send_json(422, {"title": "Say something to somebody"})
            return
        message = Message(to=character, text=text, fails=body.get("fails") is True)
        events = answer(self.app.tollkeeper, self.app.ask, self._user(), message)
        try:
            first = next(events)
        except InsufficientCreditsError as shortage:
            # Tollkeeper's own problem goes to the page whole; the elements know what to do with it.
            problem = {"status": shortage.status, "code": shortage.code, "detail": shortage.detail}
            self._send_json(402, {**problem, **shortage.members}, kind="application/problem+json")
            return
        self._stream(first, events)

    def _stream(self, first: Event, rest: Iterator[Event]) -> None:
        """A line of JSON for each event; the connection ends with the last."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        event: Event | None = first
        try:
            while event is not None:
                self.wfile.write(write_json(event).encode() + b"\n")
                event = next(rest, None)
        except OSError:
            # The reader is gone: what the model said until here is charged when the run is closed.
            pass

    def _names_this_machine(self) -> bool:
        """Why: a page of the web whose name leads here for a moment must not read a token."""
        name = (self.headers.get("Host") or "").rpartition(":")[0]
        return name in ("127.0.0.1", "localhost")

    def _user(self) -> str:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        return cookie.value if cookie is not None and cookie.value in USERS else "mina"

    def _body(self) -> Mapping[str, Any] | None:
        """The JSON that was sent. Why only JSON: no form of another site can send it."""
        size = int(self.headers.get("Content-Length") or 0)
        if self.headers.get_content_type() != "application/json" or size > LARGEST_BODY_BYTES:
            return None
        try:
            body: object = json.loads(self.rfile.read(size) or b"{}")
        except ValueError:
            return None
        return cast("Mapping[str, Any]", body) if isinstance(body, dict) else None

    def _send_file(self, folder: Path, name: str) -> None:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder) or not file.is_file() or file.suffix not in KINDS:
            self._send(404, b"", kind=KINDS[".html"])
            return
        self._send(200, file.read_bytes(), kind=KINDS[file.suffix])

    def _send_json(
        self,
        status: int,
        value: object,
        *,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._send(status, write_json(value).encode(), kind=kind, headers=headers)

    def _send(
        self, status: int, body: bytes, *, kind: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", self.app.policy())
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal shows one link."""


def start(app: App, *, port: int) -> http.server.ThreadingHTTPServer:
    """The app is served on the loopback port, by threads of this process."""
    handler = type("DemoRequests", (Requests,), {"app": app})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
