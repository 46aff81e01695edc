"""The form of what the document says about a route beyond its row in ROUTES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

RUN_CODES = (
    "unknown_operation",
    "unknown_model",
    "quote_expired",
    "not_found",
    "account_frozen",
    "account_closed",
)
SHORT_CODES = ("insufficient_credits", "limit_reached", "feature_limit")
HOLD_CODES = ("not_found", "hold_closed")
NEEDED = "needed"
OPTIONAL = "optional"
IN_PATH = "in the path"
FOR_PARTS = "for parts"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a route reads and answers.

    `answers` names the schemas of each good status; `codes` are the refusals that are the
    route's own, beside those that follow from its access, body, path and key. `key` says whether
    an Idempotency-Key is needed, or that the path is (but for parts). `has_balance`: answers carry
    X-Credits-Available. `csv_columns`: it answers CSV, too, in one page; `has_csv`: in pages.
    """

    operation: str
    tag: str
    summary: str
    answers: Mapping[int, tuple[str, ...]]
    codes: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    may_be_empty: bool = False
    query: type[BaseModel] | None = None
    key: str = ""
    has_balance: bool = False
    has_csv: bool = False
    csv_columns: tuple[str, ...] = ()
    notes: str = field(default="")


CHARGING, BUDGETS, READING = "Charging", "Budgets", "Reading"
OPERATORS, BUYING = "Operators", "Buying"
