"""docs/catalog.md: every worked example comes to what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.building import ONE
from tests.unit.priced import NOW, catalog_of
from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.domain.money import show_micro, show_usd
from tollkeeper.domain.pricing import Priced, Standing, price_run
from tollkeeper.edge.bodies import RunBody
from tollkeeper.edge.catalog_models import RULES, PricedTable, PricesTable
from tollkeeper.edge.wire import read_json

PAGE = (Path(__file__).parents[2] / "docs/catalog.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(toml|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEAD = '[account]\ndefault_plan = "free"\n[plans.free]\nallocation = 10\n'


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each example with the catalog that stands before it."""
    catalog = ""
    for language, text in FENCE.findall(PAGE):
        if language == "toml":
            catalog = text
        else:
            yield catalog, read_json(text.encode())


EXAMPLES = list(examples())


def shown(priced: Priced) -> dict[str, Any]:
    """The price as an answer says it, with codes for its warnings."""
    run = priced.run
    return {
        "charged": Decimal(show_micro(priced.charged_microcredits)),
        "cost_usd": None if run.cost_picousd is None else show_usd(run.cost_picousd),
        "warnings": list(run.warnings),
        "breakdown": [
            {
                "item": line.item,
                "quantity": Decimal(line.quantity),
                "rate": line.rate,
                "credits": Decimal(show_micro(line.credits_microcredits)),
            }
            for line in run.lines
        ],
    }


@pytest.mark.parametrize(("text", "example"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_comes_to_what_the_page_says(text: str, example: dict[str, Any]) -> None:
    catalog = catalog_of(text, head=HEAD)
    used = {feature: count * ONE for feature, count in example.get("used", {}).items()}
    standing = Standing(example.get("plan", ""), used)
    at = {"occurred_at": NOW.isoformat()}
    body = RunBody.model_validate({"account": "user_1", **example["request"], **at})

    if "refused" in example:
        with pytest.raises(TollkeeperError) as refusal:
            price_run(body.to_consumption(), catalog, standing)
        assert refusal.value.code == example["refused"]
        return
    answer = shown(price_run(body.to_consumption(), catalog, standing))
    assert {name: answer[name] for name in example["answer"]} == example["answer"]


def test_every_rule_that_has_a_price_and_every_term_has_an_example() -> None:
    said = "".join(catalog for catalog, _ in EXAMPLES)

    assert set(re.findall(r'rule = "(\w+)"', said)) == set(RULES) - {"local"}
    for key in {*PricedTable.model_fields, "prices.overrides", "prices.markups"} - {
        "name",
        "feature",
    }:
        assert key in said, key
    assert {"unknown_model", "invalid"} == {e["refused"] for _, e in EXAMPLES if "refused" in e}
    assert set(PricesTable.model_fields) - {"models", "use_provider_cost"} <= set(
        re.findall(r"[a-z_]+", said)
    )
