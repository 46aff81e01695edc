"""HTTP/1.1 as bytes: a request is read whole and within limits, an answer is written whole.

Why: the stack's API Gateway sits between a client and a function. What it refuses before a
function runs (a bad request line, a body above 10 MB, headers above 10 KB) is refused here with
the same status and the same `{"message": ...}` body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

BODY_MAX_BYTES = 10 * 1024 * 1024
HEAD_MAX_BYTES = 10_240
CHUNK_LINE_MAX_BYTES = 1_024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"[!-~]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_DIGITS = re.compile(r"[0-9]{1,15}")
_HEX_DIGITS = re.compile(r"[0-9A-Fa-f]{1,12}")
_ABSOLUTE_TARGET = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_NO_BODY_STATUSES = frozenset({204, 304})
# API Gateway's own words, where Python's change from version to version.
_PHRASES = {413: "Request Entity Too Large"}


class BadRequestError(Exception):
    """The bytes are not a request that can be answered; the connection ends with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(_phrase(status))
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came.

    Shape: `target` is path and query as sent; header names are lower-case, in the order sent.
    """

    method: str
    target: str
    protocol: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str

    @property
    def raw_path(self) -> str:
        """The path as sent, still percent-encoded."""
        return self.target.partition("?")[0] or "/"

    @property
    def query(self) -> str:
        """The query as sent, without the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """All values of a header joined by commas, as API Gateway joins them; None if absent."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None

    @property
    def keeps_open(self) -> bool:
        """Whether the client wants the connection for another request."""
        wishes = {wish.strip().lower() for wish in (self.header("connection") or "").split(",")}
        if self.protocol == "HTTP/1.0":
            return "keep-alive" in wishes
        return "close" not in wishes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; Content-Length and Connection are added when it is written."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def message_answer(status: int, message: str | None = None) -> Answer:
    """What API Gateway itself answers: `{"message": "Not Found"}` and the like."""
    body = json.dumps({"message": message or _phrase(status)}, separators=(",", ":"))
    headers = (("Content-Type", "application/json"),)
    return Answer(status=status, headers=headers, body=body.encode())


def read_request(
    stream: BinaryIO, *, source_ip: str, send_continue: Callable[[], None]
) -> Request | None:
    """The next request of a connection, or None where the client has closed it.

    Raises: BadRequestError for what is no HTTP/1.1 request or is above a limit;
    OSError where the client goes away or falls silent half-way.
    """
    line = _read_line(stream, room=HEAD_MAX_BYTES)
    if line == "":
        # One empty line before a request is allowed: some clients end a body with it.
        line = _read_line(stream, room=HEAD_MAX_BYTES)
    if line is None:
        return None
    method, target, protocol = _parse_request_line(line)
    headers = _read_headers(stream, room=HEAD_MAX_BYTES - len(line))
    head = Request(
        method=method,
        target=target,
        protocol=protocol,
        headers=headers,
        body=b"",
        source_ip=source_ip,
    )
    body = _read_body(stream, head, send_continue=send_continue)
    return Request(
        method=method,
        target=target,
        protocol=protocol,
        headers=headers,
        body=body,
        source_ip=source_ip,
    )


def encode_answer(answer: Answer, *, method: str, keep_open: bool) -> bytes:
    """The bytes of an answer: status line, headers and body in one piece.

    Raises: ValueError where a header would break the line it stands on.
    """
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    for name, value in answer.headers:
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"not a header: {name!r}: {value!r}")
        lines.append(f"{name}: {value}")
    if answer.status not in _NO_BODY_STATUSES:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines.append("Connection: keep-alive" if keep_open else "Connection: close")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    sends_body = method != "HEAD" and answer.status not in _NO_BODY_STATUSES
    return head + answer.body if sends_body else head


def _phrase(status: int) -> str:
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _read_line(stream: BinaryIO, *, room: int) -> str | None:
    """One line without its end; None at the end of the stream."""
    line = stream.readline(room + 2)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise BadRequestError(431 if len(line) >= room else 400)
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("latin-1")


def _parse_request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TARGET.fullmatch(parts[1]):
        raise BadRequestError(400)
    method, target, protocol = parts
    if protocol not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequestError(505 if protocol.startswith("HTTP/") else 400)
    target = _ABSOLUTE_TARGET.sub("", target, count=1) if target[0] != "/" else target
    if target != "*" and not target.startswith(("/", "?")):
        target = "/" + target
    return method, target.partition("#")[0], protocol


def _read_headers(stream: BinaryIO, *, room: int) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    while line := _read_line(stream, room=max(room, 0)):
        room -= len(line)
        name, colon, value = line.partition(":")
        # A name followed by a blank, or a line that continues the one above, is how requests
        # are smuggled past a second reader: both are refused.
        if not colon or not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise BadRequestError(400)
        headers.append((name.lower(), value.strip(" \t")))
    if line is None:
        raise BadRequestError(400)
    return tuple(headers)


def _read_body(stream: BinaryIO, head: Request, *, send_continue: Callable[[], None]) -> bytes:
    length = head.header("content-length")
    encoding = head.header("transfer-encoding")
    if head.protocol == "HTTP/1.1" and len([1 for key, _ in head.headers if key == "host"]) != 1:
        raise BadRequestError(400)
    if encoding is not None and (length is not None or head.protocol == "HTTP/1.0"):
        raise BadRequestError(400)
    if encoding is not None and encoding.lower() != "chunked":
        raise BadRequestError(501)
    if length is not None and not _DIGITS.fullmatch(length):
        raise BadRequestError(400)
    if length is not None and int(length) > BODY_MAX_BYTES:
        raise BadRequestError(413)
    expects = head.header("expect")
    if expects is not None:
        if expects.lower() != "100-continue":
            raise BadRequestError(417)
        send_continue()
    if encoding is not None:
        return _read_chunks(stream)
    return _read_exactly(stream, int(length or 0))


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size) if size else b""
    if len(body) != size:
        raise BadRequestError(400)
    return body


def _read_chunks(stream: BinaryIO) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while True:
        line = _read_line(stream, room=CHUNK_LINE_MAX_BYTES)
        size_text = (line or "").partition(";")[0].strip()
        if not _HEX_DIGITS.fullmatch(size_text):
            raise BadRequestError(400)
        size = int(size_text, 16)
        if size == 0:
            _read_headers(stream, room=HEAD_MAX_BYTES)
            return b"".join(chunks)
        total += size
        if total > BODY_MAX_BYTES:
            raise BadRequestError(413)
        chunks.append(_read_exactly(stream, size))
        if _read_line(stream, room=2) != "":
            raise BadRequestError(400)
