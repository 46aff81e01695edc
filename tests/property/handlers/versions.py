"""The two versions of the catalog, each with the price book that lies beside it."""

from __future__ import annotations

from pathlib import Path

CATALOG = Path(__file__).parent / "catalog.toml"
TEXT = CATALOG.read_text(encoding="utf-8")
BOOK = CATALOG.with_name("prices.json").read_text(encoding="utf-8")
# A raise of prices, and a pack that became dearer and larger: same plans, same ids.
CHANGES = {
    "credits = 60": 'credits = "61.7"',
    "credits = 4\n": "credits = 5\n",
    'credits = "0.333333"\nfractional = true\nusd': 'credits = "0.4"\nfractional = true\nusd',
    "credits = 30\n": "credits = 31\n",
    'price = "4.00"': 'price = "4.50"',
    'markup = "1.5"': 'markup = "1.65"',
    "percent = 80": 'percent = "79.999"',
    "free_allowance = 3": "free_allowance = 4",
    'per_second = "0.000003"': 'per_second = "0.001"',
}
# The book after it knows one model more, and others cost something else.
NEWS = {
    '"input": ["2", [1000, "4"]]': '"input": ["2.2", [1200, "4.4"]]',
    '"input": "15", "output": "75", "requests": "5"': '"input": "14", "output": "80"',
    '        "id": "zen-lite",': '        "id": "beta-9",\n'
    '        "rates": {"input": "1.25", "output": "6"}\n'
    "      },\n      {\n"
    '        "id": "zen-lite",',
}


def change(text: str, changes: dict[str, str]) -> str:
    """The text with these changes, each of which is made once."""
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


TEXTS = (TEXT, change(TEXT, CHANGES))
BOOKS = (BOOK, change(BOOK, NEWS))


def book_of(text: str) -> str:
    """The price book that is deployed with that catalog; the first one with any other."""
    return BOOKS[TEXTS.index(text)] if text in TEXTS else BOOK
