"""Members of requests as strict types: amounts exact, texts bounded, none coerced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from tollkeeper.domain.entries import parse_id
from tollkeeper.domain.errors import InvalidError
from tollkeeper.edge.access import ME, NOT_ME
from tollkeeper.edge.catalog_models import exact_micro
from tollkeeper.edge.wire import write_json

LARGEST_METADATA_BYTES = 4096
LARGEST_LABEL_BYTES = 64
# Why: what Python reads as a moment, a day or a number differs from version to version.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
CATALOG_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
ROWS = re.compile(r"[1-9]\d{0,3}", re.ASCII)
USUAL_ROWS = 50
MOST_ROWS = 200
MOST_CSV_ROWS = 5000
# Why: a text for people, on one line or several; other control characters hide what it says.
PLAIN_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


def _micro(value: object) -> int:
    return exact_micro(value, allow_zero=False)


def _micro_or_zero(value: object) -> int:
    return exact_micro(value, allow_zero=True)


def _signed_micro(value: object) -> int:
    """A decimal that may be negative, but not 0."""
    match value:
        case str() if value.startswith("-"):
            return -_micro(value[1:])
        case int() if value < 0:
            return -_micro(-value)
        case Decimal() if value < 0:
            return -_micro(value.copy_negate())
        case _:
            return _micro(value)


def _account(value: object) -> str:
    if value == ME:
        raise ValueError(NOT_ME)
    return _caller_id(value)


def _caller_id(value: object) -> str:
    try:
        return parse_id(value, "")
    except InvalidError as error:
        raise ValueError(error.problems[0][1]) from None


def _id(value: object) -> str:
    if not isinstance(value, str) or CATALOG_ID.fullmatch(value) is None:
        raise ValueError("must be 1 to 64 of a-z 0-9 _ . - and begin with a letter or digit")
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or MOMENT.fullmatch(value) is None:
        raise ValueError("must be a moment such as 2026-11-20T12:00:00Z or …+01:00")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise ValueError("is no moment of any calendar") from None
    except OverflowError:
        raise ValueError("is out of range") from None
    if not 2000 <= moment.year <= 2999:
        raise ValueError("must be between the years 2000 and 2999")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _day(value: object) -> date:
    if not isinstance(value, str) or DAY.fullmatch(value) is None:
        raise ValueError("must be a day such as 2026-11-20")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day of any calendar") from None
    if not 2000 <= day.year <= 2999:
        raise ValueError("must be between the years 2000 and 2999")
    return day


def _metadata(value: object) -> str:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    size = len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode())
    if size > LARGEST_METADATA_BYTES:
        raise ValueError(f"must not be larger than {LARGEST_METADATA_BYTES} bytes; it has {size}")
    return write_json(cast("dict[str, object]", value))


def _label(value: str) -> str:
    # Why: labels are counted in the account item, whose size is bounded in bytes.
    if len(value.encode()) > LARGEST_LABEL_BYTES:
        raise ValueError(f"must not be larger than {LARGEST_LABEL_BYTES} bytes")
    return value


def rows_up_to(most: int) -> Callable[[object], int]:
    """What reads a page's number of rows, as a query says it."""

    def read(value: object) -> int:
        rows = int(value) if isinstance(value, str) and ROWS.fullmatch(value) else 0
        if not 1 <= rows <= most:
            raise ValueError(f"must be a whole number from 1 to {most}")
        return rows

    return read


Rows = Annotated[int, BeforeValidator(rows_up_to(MOST_ROWS))]
CsvRows = Annotated[int, BeforeValidator(rows_up_to(MOST_CSV_ROWS))]
Micro = Annotated[int, BeforeValidator(_micro)]
MicroOrZero = Annotated[int, BeforeValidator(_micro_or_zero)]
SignedMicro = Annotated[int, BeforeValidator(_signed_micro)]
Account = Annotated[str, BeforeValidator(_account)]
CallerId = Annotated[str, BeforeValidator(_caller_id)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Metadata = Annotated[str, BeforeValidator(_metadata)]
Label = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_label),
]
Model = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[!-~]+$"),
]
Provider = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_.-]*$"),
]
MODEL = re.compile(r"[!-~]{1,128}")
Id = Annotated[str, BeforeValidator(_id)]
Reason = Annotated[
    str,
    StringConstraints(
        strict=True, strip_whitespace=True, min_length=1, max_length=300, pattern=PLAIN_TEXT
    ),
]
KeyName = Annotated[
    str,
    StringConstraints(
        strict=True,
        strip_whitespace=True,
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
    ),
    AfterValidator(_label),
]
QuoteId = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1024)]
Name = Annotated[str, StringConstraints(strict=True, max_length=128, pattern=PLAIN_TEXT)]
