"""catalog.schema.json: what editors are told is what the functions accept."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from local.catalog_schema import SCHEMA, write_schema
from tollkeeper.edge.catalog_models import CatalogTables

ROOT = Path(__file__).parents[2]
WHOLE = ROOT / "tests/golden/whole_catalog.toml"
RIGHT = [
    ROOT / "layers/catalog/catalog.toml",
    WHOLE,
    *sorted((ROOT / "examples/catalogs").glob("*.toml")),
]
BROKEN = ROOT / "tests/golden/broken_catalogs"


def judge(document: dict[str, Any]) -> bool:
    """The schema accepts the document."""
    schema = json.loads(write_schema())
    return jsonschema_rs.validator_for(schema).is_valid(document)


def test_the_schema_beside_the_catalog_is_what_the_tables_say() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == write_schema(), "make docs writes it"
    assert len(SCHEMA.read_bytes()) < 40_000, "it is in the catalog's layer"


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_catalog_that_is_right_is_right_in_an_editor(path: Path) -> None:
    assert judge(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [*RIGHT[:1], *RIGHT[2:]], ids=lambda path: path.stem)
def test_a_catalog_s_first_line_names_the_schema(path: Path) -> None:
    first, *_ = path.read_text(encoding="utf-8").splitlines()

    named = path.parent / first.removeprefix("#:schema ")
    assert named.resolve() == SCHEMA.resolve()


@pytest.mark.parametrize(
    "name",
    [
        "float_credits",
        "unknown_key",
        "rule_unknown",
        "rule_missing",
        "local_with_price",
        "prices_unknown_key",
        "prices_without_worth",
        "plan_price_of_another_rule",
        "unknown_model_word",
        "minimum_zero",
        "usd_of_unknown_pool",
        "plan_id_with_capital",
    ],
)
def test_what_a_table_refuses_by_itself_is_wrong_in_an_editor(name: str) -> None:
    text = (BROKEN / f"{name}.toml").read_text(encoding="utf-8")

    assert not judge(tomllib.loads(text))


def test_every_key_of_every_table_is_in_it() -> None:
    schema = json.loads(write_schema())

    assert set(schema["properties"]) == set(CatalogTables.model_fields)
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values())
    assert schema["$defs"]["AccountTable"]["properties"]["low_balance"]["default"] == "5"
