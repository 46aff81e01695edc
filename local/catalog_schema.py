"""layers/catalog/catalog.schema.json: what a catalog may say, for editors that know JSON Schema.

python -m local.catalog_schema
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from tollkeeper.domain.money import show_micro
from tollkeeper.edge.catalog_models import POSITIVE, ZERO_OR_MORE, CatalogTables

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "layers" / "catalog" / "catalog.schema.json"
NOTHING = {"type": "null"}


def write_schema() -> str:
    """The schema's text."""
    schema = _tidy(CatalogTables.model_json_schema())
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Tollkeeper catalog",
    }
    return json.dumps({**head, **schema}, indent=1, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """The schema as a TOML file needs it: without null, and with amounts as they are written."""
    if isinstance(value, list):
        return [_tidy(each) for each in cast("list[Any]", value) if each != NOTHING]
    if not isinstance(value, dict):
        return value
    members = {
        name: _tidy(each)
        for name, each in cast("dict[str, Any]", value).items()
        if not (name == "title" and isinstance(each, str))
        and not (name == "default" and each in (None, [], {}))
    }
    if len(members.get("anyOf", [])) == 1:
        (only,) = members.pop("anyOf")
        members = {**only, **members}
    if "patternProperties" in members:
        members["additionalProperties"] = False
    default = members.get("default")
    if type(default) is int and members.get("anyOf") in (ZERO_OR_MORE["anyOf"], POSITIVE["anyOf"]):
        members["default"] = show_micro(default)
    return members


def main() -> int:
    """The file is what the tables say."""
    SCHEMA.write_text(write_schema(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
