"""Stripe's lists as tests need them: objects of each kind, in a range, page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tollkeeper.domain.errors import PaymentsUnavailableError
from tollkeeper.edge.stripe_lists import read_list
from tollkeeper.service.reconciling import Kind, Page


@dataclass
class FakeLists:
    """Keeps Stripe's objects by kind; `page` of them are on a page, the newest first.

    `refusals` are the calls, counted from 0, that fail.
    """

    objects: dict[Kind, list[dict[str, Any]]] = field(
        default_factory=dict[Kind, list[dict[str, Any]]]
    )
    page: int = 100
    calls: list[tuple[Kind, str]] = field(default_factory=list[tuple[Kind, str]])
    is_ready: bool = True
    refusals: set[int] = field(default_factory=set[int])
    before_each: Callable[[], object] = lambda: None

    def add(self, kind: Kind, *found: dict[str, Any]) -> None:
        """Stripe lists these, too."""
        self.objects.setdefault(kind, []).extend(found)

    def read_page(self, kind: Kind, *, since: datetime, until: datetime, after: str) -> Page:
        """Some of what was made in the range."""
        self.before_each()
        self.calls.append((kind, after))
        if len(self.calls) - 1 in self.refusals:
            raise PaymentsUnavailableError("Stripe is not there.")
        made = [
            each
            for each in sorted(self.objects.get(kind, []), key=lambda each: -each["created"])
            if int(since.timestamp()) <= each["created"] < int(until.timestamp())
        ]
        ids = [each["id"] for each in made]
        start = ids.index(after) + 1 if after else 0
        rows = made[start : start + self.page]
        has_more = start + self.page < len(made)
        return read_list(kind, {"object": "list", "data": rows, "has_more": has_more})
