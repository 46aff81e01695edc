"""axe over a page as it is now: what keeps somebody from using it, as readable lines."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# What the project promises: no finding of these. What is only advice is not looked at.
GRAVE = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@lru_cache(maxsize=1)
def axe_script() -> str:
    """axe-core as the package brings it."""
    return AXE.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """A line for each grave finding: rule, what is wrong, where. Shadow roots are looked into."""
    page.evaluate(axe_script())
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    result = cast("dict[str, Any]", page.evaluate(f"axe.run({json.dumps(options)})"))
    return [
        f"{found['impact']}: {found['id']}: {found['help']}: {node['target']} {node['html'][:160]}"
        for found in result["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]
