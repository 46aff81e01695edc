"""A web server of the tests' own: pages of an app that uses the elements, on another origin."""

from __future__ import annotations

import http.server
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.engine import free_port

HTML = "text/html; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class File:
    """What one path answers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Origin:
    """Serves what tests put there, on a loopback port that the system admits as an app's origin."""

    port: int = field(default_factory=free_port)
    _files: dict[str, File] = field(default_factory=dict[str, File])
    _server: http.server.ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where the pages are served."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, body: str, *, kind: str, csp: str | None = None) -> str:
        """The path answers this from now on; the answer is its URL."""
        headers = {"Content-Type": kind, "Cache-Control": "no-store"}
        if csp is not None:
            headers["Content-Security-Policy"] = csp
        self._files[path] = File(body=body.encode(), headers=headers)
        return self.url + path

    def put_page(self, html: str, *, api: str, path: str | None = None) -> str:
        """A page under a strict policy: what stands in it and what the API serves may run.

        Every `<script` and `<style` of the test's own html gets the nonce; a style attribute, an
        element's own <style> or an eval is a violation. A fragment becomes a whole page.
        """
        if "<html" not in html:
            html = (
                '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An app</title>'
                '<meta name="viewport" content="width=device-width, initial-scale=1">'
                f"</head><body><main><h1>An app</h1>{html}</main></body></html>"
            )
        nonce = secrets.token_hex(8)
        html = re.sub(r"<(script|style)\b", rf'<\1 nonce="{nonce}"', html)
        live = api.replace("http://", "ws://")
        csp = (
            f"default-src 'none'; script-src 'nonce-{nonce}' 'self' {api}; "
            f"style-src 'nonce-{nonce}' 'self' {api}; connect-src 'self' {api} {live}; "
            "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        where = path or f"/page/{secrets.token_hex(4)}"
        return self.put(where, html, kind=HTML, csp=csp)

    def start(self) -> None:
        """The pages are served."""
        files = self._files

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                file = files.get(path)
                if path == "/favicon.ico":
                    file = File(body=b"", headers={"Content-Type": "image/x-icon"})
                self.send_response(200 if file else 404)
                answer = file or File(body=b"", headers={})
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: a test says what it asked for."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """The port is free again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
