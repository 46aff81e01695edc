"""What the deployed account page must do: whole, packed, known again, and nothing beside it."""

from __future__ import annotations

import gzip
import re

from local.deployed import CheckError, Deployed
from local.wire import Answer, Request


def check_pages(stack: Deployed) -> None:
    """Page and operator page come with every file that they name; another file does not."""
    for path in ("/", "/operator"):
        page = _get(stack, path)
        text = _text(page).decode()
        if page.status != 200 or "<!doctype html>" not in text:
            raise CheckError(f"GET {path} answers {page.status} {text[:200]!r}")
        for name in re.findall(r'(?:href|src)="(web/[^"]+)"', text):
            file = _get(stack, f"/{name}")
            if file.status != 200 or not _text(file):
                raise CheckError(f"GET /{name} answers {file.status}")
    etag = _header(_get(stack, "/"), "etag")
    again = _get(stack, "/", ("if-none-match", etag))
    if (again.status, again.body) != (304, b""):
        raise CheckError(f"a page that the browser has is answered {again.status}")
    if b"credit-balance" not in _text(_get(stack, "/web/elements.bundle.js")):
        raise CheckError("the web components are not in their layer")
    other = _get(stack, "/web/..%2fhandler.py")
    if other.status != 404:
        raise CheckError(f"a path that leads out is answered {other.status}")


def _get(stack: Deployed, path: str, *headers: tuple[str, str]) -> Answer:
    """The answer to a browser that takes gzip and has no key."""
    return stack.gateway.respond(
        Request(
            method="GET",
            target=path,
            protocol="HTTP/1.1",
            headers=(("host", "api.example.com"), ("accept-encoding", "gzip"), *headers),
            body=b"",
            source_ip="127.0.0.1",
        )
    )


def _text(answer: Answer) -> bytes:
    is_packed = _header(answer, "content-encoding") == "gzip"
    return gzip.decompress(answer.body) if is_packed else answer.body


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers if key.lower() == name), "")
