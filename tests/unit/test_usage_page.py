"""docs/usage.md cannot lie: its examples are read, and its tables are the code's."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tollkeeper.domain.money import MICRO, PICO_PER_USD
from tollkeeper.domain.usage import POOL_NAMES, Usage, normalise_usage
from tollkeeper.domain.usage.tiers import PRICED
from tollkeeper.edge.answers import WARNINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
SOURCES = ROOT / "layers" / "core" / "tollkeeper" / "domain" / "usage"
BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r'"((?:\{kind\}|[a-z]+)(?:_[a-z]+)+)"')
KINDS = ("audio", "image", "video")


def examples() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What is sent, with what is read of it, in the page's order."""
    blocks = [json.loads(block, parse_float=Decimal) for block in BLOCK.findall(PAGE)]
    assert len(blocks) % 2 == 0
    return list(zip(blocks[::2], blocks[1::2], strict=True))


def show(usage: Usage) -> dict[str, Any]:
    """The usage as the page shows it: only what it says."""
    parts = [{"model": part.model, "tokens": part.pools.nonzero()} for part in usage.parts]
    seconds = None if usage.seconds_micro is None else Decimal(usage.seconds_micro) / MICRO
    cost = usage.cost_picousd
    shown = {
        "model": usage.model,
        "provider": usage.provider,
        "service_tier": usage.service_tier,
        "seconds": seconds,
        "web_searches": usage.web_searches,
        "cost_usd": None if cost is None else str(Decimal(cost) / PICO_PER_USD),
        "parts": parts,
        "warnings": list(usage.warnings),
    }
    said = {name: value for name, value in shown.items() if value}
    return said | {"tokens": usage.pools.nonzero()}


def codes_of(text: str) -> set[str]:
    """The codes that a call of `warn` names."""
    return {
        code.replace("{kind}", kind)
        for call in re.findall(r"warn\(f?\"[^)]+\"\)|_fit\([^)]+\)", text)
        for code in CODE.findall(call)
        for kind in KINDS
    }


@pytest.mark.parametrize(("sent", "read"), examples(), ids=lambda block: str(block)[:60])
def test_an_example_is_read_as_the_page_says(sent: dict[str, Any], read: dict[str, Any]) -> None:
    assert show(normalise_usage(sent)) == read


def test_the_page_names_every_pool_and_every_tier() -> None:
    for name in (*POOL_NAMES, *PRICED):
        assert f"`{name}`" in PAGE, name


def test_the_page_and_the_answers_explain_every_warning_that_reading_gives() -> None:
    codes: set[str] = set()
    for source in SOURCES.glob("*.py"):
        codes |= codes_of(source.read_text(encoding="utf-8"))

    assert len(codes) == 22
    table = {
        code
        for row in re.findall(
            r"^\| (`[a-z_`, ]+`) \| [^|]+ \|$", PAGE[PAGE.index("| code") :], re.M
        )
        for code in re.findall(r"`([a-z_]+)`", row)
    }
    assert table == codes
    assert codes <= WARNINGS.keys()
