"""The pages that people see, and the modules that they load, as API Gateway wants them.

Every file is read before the first request, so no path of a request ever reaches the disk, and
packed when it is asked for the first time. A page names its files under
`/web/<digest of them all>/`: these never change and are kept for a year, so a second visit costs
one request, and a page never mixes two deployments' modules.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tollkeeper.edge.etags import LONGEST_HEADER, is_known
from tollkeeper.edge.page_settings import PageSettings, read_page_settings
from tollkeeper.edge.web_bundle import join_modules
from tollkeeper.edge.web_squeeze import squeeze

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Joined files stand beside their sources: one request in place of twenty.
ENTRIES = {f"{name}.bundle.js": f"{name}.js" for name in ("elements", "page", "operator")}
PAGES = {"GET /": "index.html", "GET /operator": "operator.html"}
DIGEST_LENGTH = 16
ALWAYS_ASK = "no-cache"
FOR_A_WHILE = "public, max-age=300"
FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file as it is sent. `packed` is its gzip form; a strong ETag names one form only."""

    media_type: str
    content: bytes
    packed: bytes
    digest: str

    @classmethod
    def of(cls, name: str, content: bytes) -> WebFile:
        """The file of that name, which says what type it is."""
        digest = hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
        packed = gzip.compress(content, compresslevel=9, mtime=0)
        return cls(TYPES[Path(name).suffix], content, packed, digest)


class WebSite:
    """All files of the account page, the operator page and the web components."""

    def __init__(self, *, static: Path, settings: PageSettings) -> None:
        sources = _read(static) | _read(settings.web_path)
        for sheet in {"page.css", "operator.css"} & set(sources) if settings.color else ():
            sources[sheet] += _brand(settings.color)
        whole = hashlib.sha256()
        for name, content in sorted(sources.items()):
            whole.update(f"{name} {len(content)}\n".encode() + content)
        self.version = whole.hexdigest()[:DIGEST_LENGTH]
        self.policy = _policy(settings.live_origin)
        self._sources = sources
        self._settings = settings
        self._made: dict[str, WebFile] = {}

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The file that the event asks for, 304 where the browser has it, else 404.

        Shape: API Gateway's payload format 2.0; what is packed goes as base64.
        """
        found, cache = self._find(event)
        if found is None:
            return _not_found(event)
        sent_headers: Mapping[str, str] = event.get("headers") or {}
        headers = {name.lower(): value for name, value in sent_headers.items()}
        is_packed = accepts_gzip(headers.get("accept-encoding", ""))
        etag = f'"{found.digest}-gzip"' if is_packed else f'"{found.digest}"'
        sent = HEADERS | {"Cache-Control": cache, "ETag": etag}
        if is_known(etag, headers.get("if-none-match", "")):
            return {"statusCode": 304, "headers": sent, "body": "", "isBase64Encoded": False}
        sent |= {"Content-Type": found.media_type, "Content-Security-Policy": self.policy}
        if not is_packed:
            text = found.content.decode()
            return {"statusCode": 200, "headers": sent, "body": text, "isBase64Encoded": False}
        sent["Content-Encoding"] = "gzip"
        body = base64.b64encode(found.packed).decode()
        return {"statusCode": 200, "headers": sent, "body": body, "isBase64Encoded": True}

    def _find(self, event: Mapping[str, Any]) -> tuple[WebFile | None, str]:
        """The file, and for how long it may be kept."""
        route_key = str(event.get("routeKey", ""))
        if route_key != "GET /web/{file+}":
            return self._file(PAGES.get(route_key, "")), ALWAYS_ASK
        parameters: Mapping[str, str] = event.get("pathParameters") or {}
        path = parameters.get("file", "")
        version, slash, name = path.rpartition("/")
        if name in PAGES.values():
            return None, ALWAYS_ASK
        if not slash:
            return self._file(name), FOR_A_WHILE
        if re.fullmatch(f"[0-9a-f]{{{DIGEST_LENGTH}}}", version):
            # A page of another deployment is still open: it gets today's file, and keeps none.
            return self._file(name), FOR_EVER if version == self.version else ALWAYS_ASK
        return None, ALWAYS_ASK

    def _file(self, name: str) -> WebFile | None:
        """The file of that name, or None; it is made once."""
        if name not in self._made:
            content = self._content(name)
            if content is None:
                return None
            self._made[name] = WebFile.of(name, content)
        return self._made[name]

    def _content(self, name: str) -> bytes | None:
        """What the file of that name holds, without what only its readers need."""
        entry = ENTRIES.get(name, name)
        if entry not in self._sources:
            return None
        if name in ENTRIES:
            return join_modules(self._sources, entry)
        if name in PAGES.values():
            return self._page(name)
        content = self._sources[name]
        return squeeze(content.decode()).encode() if name.endswith(".js") else content

    def _page(self, name: str) -> bytes:
        """The page with its files' addresses, its title and its links filled in."""
        settings, folder = self._settings, f"web/{self.version}"
        filled = self._sources[name].decode()
        for mark, text in {
            "{{web}}": folder,
            "{{title}}": settings.escaped_title,
            "{{links}}": settings.link_items,
            "{{cost}}": "" if settings.shows_cost else " no-cost",
        }.items():
            filled = filled.replace(mark, text)
        return filled.encode()


def accepts_gzip(header: str) -> bool:
    """The Accept-Encoding header allows gzip."""
    for part in header[:LONGEST_HEADER].lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.strip().removeprefix("q=").strip("0.") != "" or not quality.strip()
    return False


def _read(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are for browsers. Raises: OSError where there is no folder."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.suffix in TYPES and path.is_file()
    }


def _policy(live_origin: str) -> str:
    """The Content-Security-Policy: own files, own API, and where live updates come from."""
    reach = f"'self' {live_origin}".strip()
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src {reach}",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _brand(color: str) -> bytes:
    """The operator's colour as the accent, with a text on it that can be read."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    # The weights of relative luminance, in whole thousandths.
    is_light = 299 * red + 587 * green + 114 * blue > 150_000
    text = "#111" if is_light else "#fff"
    return f"\n:root{{--tollkeeper-accent:{color};--tollkeeper-on-accent:{text}}}\n".encode()


def _not_found(event: Mapping[str, Any]) -> dict[str, Any]:
    context: Mapping[str, Any] = event.get("requestContext") or {}
    problem = {
        "type": "/problems/not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such page or file.",
        "code": "not_found",
        "request_id": str(context.get("requestId", "")),
    }
    headers = {**HEADERS, "Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    body = json.dumps(problem)
    return {"statusCode": 404, "headers": headers, "body": body, "isBase64Encoded": False}


@lru_cache(maxsize=4)
def web_site(static: Path) -> WebSite:
    """The site of this process, whose page files are in that folder. Raises: OSError."""
    return WebSite(static=static, settings=read_page_settings())
