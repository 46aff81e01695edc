"""GET / and /operator, GET /web/{file+}: the pages that people see, and the web components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tollkeeper.edge.web_files import web_site

STATIC = Path(__file__).with_name("static")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """What Lambda calls. Cost: no call to anything; public files from memory."""
    return web_site(STATIC).answer(event)
