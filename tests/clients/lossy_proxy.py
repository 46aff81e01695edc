"""A proxy before the gateway that loses answers after they were given, or whole requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LossyProxy:
    """Forwards requests; of the next ones it loses as many answers, or requests, as it is told."""

    def __init__(self, port: int) -> None:
        self._gateway_port = port
        self._lock = threading.Lock()
        self._lost_answers = 0
        self._lost_requests = 0
        self._answers: list[tuple[int, Mapping[str, str], bytes]] = []
        self.seen: list[tuple[str, str, str | None]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.handle(self)

            def do_POST(self) -> None:
                proxy.handle(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def lose_answers(self, count: int) -> None:
        """The next requests reach the gateway, and nobody hears its answers."""
        with self._lock:
            self._lost_answers = count

    def lose_requests(self, count: int) -> None:
        """The next requests do not reach the gateway."""
        with self._lock:
            self._lost_requests = count

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"{}") -> None:
        """The next request is answered by the proxy itself."""
        with self._lock:
            self._answers.append((status, headers, body))

    def handle(self, incoming: BaseHTTPRequestHandler) -> None:
        """One request, by what this proxy was told."""
        length = int(incoming.headers.get("Content-Length") or 0)
        body = incoming.rfile.read(length)
        key = incoming.headers.get("Idempotency-Key")
        with self._lock:
            self.seen.append((incoming.command, incoming.path, key))
            own = self._answers.pop(0) if self._answers else None
            loses_request = own is None and self._lost_requests > 0
            self._lost_requests -= loses_request
        if loses_request:
            _cut(incoming)
            return
        status, headers, answer = own or self._forward(incoming, body)
        with self._lock:
            loses_answer = own is None and self._lost_answers > 0
            self._lost_answers -= loses_answer
        if loses_answer:
            _cut(incoming)
            return
        incoming.send_response(status)
        for name, value in headers.items():
            incoming.send_header(name, value)
        incoming.send_header("Content-Length", str(len(answer)))
        incoming.end_headers()
        incoming.wfile.write(answer)

    def _forward(
        self, incoming: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._gateway_port, timeout=20)
        try:
            headers = {
                name: value
                for name, value in incoming.headers.items()
                if name.lower() not in ("host", "connection", "content-length")
            }
            connection.request(incoming.command, incoming.path, body=body or None, headers=headers)
            response = connection.getresponse()
            answer = response.read()
            kept = {
                name: value
                for name, value in response.getheaders()
                if name.lower() not in ("connection", "content-length", "transfer-encoding")
            }
            return response.status, kept, answer
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _cut(incoming: BaseHTTPRequestHandler) -> None:
    """The connection is closed, and nothing is answered."""
    incoming.close_connection = True
    incoming.wfile.flush()
    incoming.connection.close()
