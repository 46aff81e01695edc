"""What the template tells the page's function, read without pydantic.

Why: a browser asks for a page's modules at once, so the first visitor wakes several instances
together, and pydantic is most of what such a function would load (docs/benchmarks.md).
"""

from __future__ import annotations

import html
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
SOCKET = re.compile(r"(wss?://[a-z0-9.:-]{1,253})(?:/[!-~]*)?")
LINK = re.compile(r"([^=]{1,60})=(https?://[^\s,]{1,500}|mailto:[^\s,]{1,200})")
DEFAULT_TITLE = "Credits"


@dataclass(frozen=True, slots=True)
class PageSettings:
    """How the page looks and what it may reach.

    `links` are (text, address); `live_origin` is where a page's WebSocket goes, or "".
    `shows_cost`: users see what their runs cost you at the provider.
    """

    web_path: Path
    title: str = DEFAULT_TITLE
    color: str = ""
    links: tuple[tuple[str, str], ...] = ()
    live_origin: str = ""
    shows_cost: bool = True

    @property
    def escaped_title(self) -> str:
        """The title as HTML."""
        return html.escape(self.title)

    @property
    def link_items(self) -> str:
        """The links as items of an HTML list."""
        return "".join(
            f'<li><a href="{html.escape(address)}">{html.escape(text)}</a></li>'
            for text, address in self.links
        )


@lru_cache(maxsize=1)
def read_page_settings() -> PageSettings:
    """The settings of this process; what has not the right form counts as not given."""
    color = os.environ.get("PAGE_COLOR", "")
    socket = SOCKET.fullmatch(os.environ.get("LIVE_SOCKET_URL", ""))
    return PageSettings(
        web_path=Path(os.environ.get("WEB_PATH") or "/opt"),
        title=os.environ.get("PAGE_TITLE", "").strip() or DEFAULT_TITLE,
        color=color if COLOR.fullmatch(color) else "",
        links=read_links(os.environ.get("PAGE_LINKS", "")),
        live_origin=socket.group(1) if socket else "",
        shows_cost=os.environ.get("PAGE_COST") != "off",
    )


def read_links(text: str) -> tuple[tuple[str, str], ...]:
    """The links of `Pricing=https://app.example.com/pricing,Help=mailto:help@example.com`."""
    found = (LINK.fullmatch(part.strip()) for part in text.split(","))
    return tuple((each.group(1).strip(), each.group(2)) for each in found if each)
