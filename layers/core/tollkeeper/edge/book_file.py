"""The price book's file: read once, its models turned into values when they are first needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, cast

from tollkeeper.domain.book import BookModel, DatedRates, PriceBook, Rate
from tollkeeper.domain.book_names import Entry, Names, Shelf
from tollkeeper.domain.errors import CatalogError
from tollkeeper.domain.rates import RATE_NAMES, SERVICE_TIERS

FORMAT = 1
LARGEST_BOOK_BYTES = 2_000_000
DECIMALS = 18
BOOK_FILE = "prices.json"

_RATE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,18}))?")
_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_NAME_KEYS = {"is": "exact", "starts": "starts", "ends": "ends", "has": "has", "re": "regex"}
_MODEL_KEYS = {"id", "aliases", "rates", "dated", "variants", "minimum_seconds"}
_BOOK_KEYS = {"format", "source", "generated", "models_of", "providers", "models"}

_Object = Mapping[str, object]


def read_book(path: Path) -> PriceBook:
    """The price book of that file.

    Raises: CatalogError with the file, the place in it and the reason.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(str(path), "file", f"cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST_BOOK_BYTES:
        raise CatalogError(str(path), "file", f"is larger than {LARGEST_BOOK_BYTES} bytes")
    try:
        return parse_book(raw.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise CatalogError(str(path), "file", "is not UTF-8 text") from error


def parse_book(text: str, file: str = BOOK_FILE) -> PriceBook:
    """The price book that the text is. A model is checked when it is made, all by `check_book`.

    Raises: CatalogError with the file, the place in it and the reason; so does whatever reads a
    wrong model of the book later.
    """
    document = _load(text, file)
    root = _Place(file, "")
    if document.get("format") != FORMAT:
        root.at("format").refuse(f"must be {FORMAT}")
    root.allow(document, _BOOK_KEYS)
    models = _object(document.get("models"), root.at("models"))
    providers = _list(document.get("providers"), root.at("providers"))
    source = _text(document.get("source"), root.at("source"))
    shelves = [
        _shelf(_object(each, place), models, source, place)
        for each, place in _each(providers, root.at("providers"))
    ]
    known = {shelf.provider for shelf in shelves}
    for provider in models:
        if provider not in known:
            root.at("models").at(provider).refuse("is not among the providers")
    if not models:
        root.at("models").refuse("must not be empty")
    generated = _text(document.get("generated"), root.at("generated"))
    return PriceBook(source=source, generated=generated, shelves=shelves, stocked=tuple(models))


def check_book(text: str, file: str = BOOK_FILE) -> PriceBook:
    """The price book that the text is, each of its models looked at.

    Raises: CatalogError with the file, the place in it and the reason.
    Why: what is checked here and nowhere else would take a cold start too long.
    """
    book = parse_book(text, file)
    document = json.loads(text, object_pairs_hook=partial(_refuse_twice, _Place(file, "")))
    _compile_patterns(document["providers"], _Place(file, "providers"))
    for provider, models in document["models"].items():
        _compile_patterns(models, _Place(file, "models").at(provider))
    for provider in book.providers:
        models = _Place(file, "models").at(provider)
        ids = [model.id for model in book.models(provider)]
        if not ids:
            models.refuse("has no model with a price")
        _refuse_twice(models, [(id_, None) for id_ in ids])
    return book


def _refuse_twice(place: _Place, pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            place.refuse(f"has {key!r} twice")
        found[key] = value
    return found


def _compile_patterns(value: object, place: _Place) -> None:
    """Nothing, where every pattern below is one."""
    if isinstance(value, list):
        for each, at in _each(cast("list[object]", value), place):
            _compile_patterns(each, at)
    elif isinstance(value, dict):
        for key, each, at in _items(cast("_Object", value), place):
            if key == "re":
                _compile(_texts(each, at), at)
            else:
                _compile_patterns(each, at)


def _compile(patterns: Sequence[str], place: _Place) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            place.refuse(f"holds {pattern!r}, which is no regular expression: {error}")


def _load(text: str, file: str) -> _Object:
    def refuse(number: str) -> NoReturn:
        raise CatalogError(file, "file", f'holds {number}: write a rate as "{number}"')

    try:
        document: object = json.loads(text, parse_float=refuse, parse_constant=refuse)
    except RecursionError as error:
        raise CatalogError(file, "file", "is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise CatalogError(file, f"line {error.lineno}", f"is not JSON: {error.msg}") from error
    except ValueError as error:
        raise CatalogError(file, "file", "holds a number of thousands of digits") from error
    return _object(document, _Place(file, "file"))


# ---- Providers and names


def _shelf(provider: _Object, models: _Object, source: str, place: _Place) -> Shelf:
    place.allow(provider, {"id", "called", "meant", "sells"})
    id_ = _text(provider.get("id"), place.at("id"))
    return Shelf(
        provider=id_,
        called=_names(provider.get("called", {}), place.at("called")),
        meant=_names(provider.get("meant", {}), place.at("meant")),
        sells=_texts(provider.get("sells", []), place.at("sells")),
        entries=partial(_entries, id_, models.get(id_, []), source, place.of("models").at(id_)),
    )


def _entries(provider: str, listed: object, source: str, place: _Place) -> tuple[Entry, ...]:
    return tuple(
        _entry(provider, _object(each, at), source, at)
        for each, at in _each(_list(listed, place), place)
    )


def _entry(provider: str, model: _Object, source: str, place: _Place) -> Entry:
    place.allow(model, _MODEL_KEYS)
    id_ = _text(model.get("id"), place.at("id"))
    aliases = model.get("aliases")
    names = Names((id_.lower(),)) if aliases is None else _names(aliases, place.at("aliases"))
    make = partial(_model, provider, model, source, place) if "rates" in model else None
    return Entry(id_, names, make)


def parse_names(aliases: object, file: str = BOOK_FILE) -> Names:
    """The names that these aliases of a model are. Raises: CatalogError."""
    return _names(aliases, _Place(file, "aliases"))


def _names(value: object, place: _Place) -> Names:
    clauses = _object(value, place)
    place.allow(clauses, {*_NAME_KEYS, "all"})
    texts = {
        member: _texts(clauses[key], place.at(key))
        for key, member in _NAME_KEYS.items()
        if key in clauses
    }
    for pattern in texts.get("regex", ()):
        _check_pattern(pattern, place.at("re"))
    groups = _each(_list(clauses.get("all", []), place.at("all")), place.at("all"))
    all_of = tuple(
        tuple(_names(each, at) for each, at in _each(_list(group, within), within))
        for group, within in groups
    )
    return Names(**texts, all_of=all_of)


def _check_pattern(pattern: str, place: _Place) -> None:
    """Nothing, where it can be a pattern. Why: it is compiled only by who checks the book."""
    if len(pattern) > 300:
        place.refuse("must be a regular expression of at most 300 characters")


# ---- Rates


def _model(provider: str, model: _Object, source: str, place: _Place) -> BookModel:
    id_ = str(model["id"])
    dated = _list(model.get("dated", []), place.at("dated"))
    first = DatedRates(_rates(model["rates"], place.at("rates")))
    later = [_dated(each, at) for each, at in _each(dated, place.at("dated"))]
    variants = _object(model.get("variants", {}), place.at("variants"))
    place.at("variants").allow(variants, set(SERVICE_TIERS))
    minimum = model.get("minimum_seconds", 0)
    if type(minimum) is not int or not 0 <= minimum <= 3600:
        place.at("minimum_seconds").refuse("must be a whole number of seconds up to 3600")
    return BookModel(
        id=id_,
        provider=provider,
        source=f"{source}, {provider} {id_}",
        prices=(first, *later),
        variants={
            tier: tuple(_dated(each, at) for each, at in _each(_list(of, within), within))
            for tier, of, within in _items(variants, place.at("variants"))
        },
        minimum_seconds=minimum,
    )


def _dated(value: object, place: _Place) -> DatedRates:
    entry = _object(value, place)
    place.allow(entry, {"effective_from", "hours", "rates"})
    return DatedRates(
        _rates(entry.get("rates"), place.at("rates")),
        _day(entry.get("effective_from"), place.at("effective_from")),
        _hours(entry.get("hours"), place.at("hours")),
    )


def _rates(value: object, place: _Place) -> dict[str, Rate]:
    rates = _object(value, place)
    place.allow(rates, set(RATE_NAMES))
    return {name: _rate(rate, at) for name, rate, at in _items(rates, place)}


def _rate(value: object, place: _Place) -> Rate:
    """Shape: a decimal string, or a list of one and then [tokens, decimal string] of each tier."""
    if not isinstance(value, list):
        return Rate(_atto(value, place))
    base, *steps = cast("list[object]", value) or [None]
    tiers: list[tuple[int, int]] = []
    for step in steps:
        threshold, rate = _pair(step, place)
        if type(threshold) is not int or threshold < 0:
            place.refuse("has a tier that does not start with a number of tokens")
        tiers.append((threshold, _atto(rate, place)))
    if any(earlier >= later for (earlier, _), (later, _) in pairwise(tiers)):
        place.refuse("must have its tiers in ascending order")
    return Rate(_atto(base, place), tuple(tiers))


def _atto(value: object, place: _Place) -> int:
    """Units: atto-dollars of a rate in USD."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        place.refuse(f'must be a rate such as "0.125", not {json.dumps(value, default=str)}')
    return int(found[1] + (found[2] or "").ljust(DECIMALS, "0"))


def _day(value: object, place: _Place) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(_text(value, place))
    except ValueError:
        place.refuse("must be a day such as 2026-11-21")


def _hours(value: object, place: _Place) -> tuple[int, int] | None:
    if value is None:
        return None
    start, end = (_HOUR.fullmatch(str(each)) for each in _pair(value, place))
    if start is None or end is None:
        place.refuse('must be two times in UTC such as ["00:30", "16:30"]')
    return _second(start), _second(end)


def _second(time: re.Match[str]) -> int:
    return int(time[1]) * 3600 + int(time[2]) * 60


# ---- What stands where


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file something stands, as an error names it."""

    file: str
    path: str

    def at(self, key: str) -> _Place:
        """A member of what stands here."""
        return _Place(self.file, f"{self.path}.{key}" if self.path else key)

    def of(self, key: str) -> _Place:
        """A member of the whole file."""
        return _Place(self.file, key)

    def allow(self, given: _Object, keys: set[str]) -> None:
        """Nothing, where no other key is given."""
        for key in given.keys() - keys:
            self.at(key).refuse("is not a key of a price book")

    def refuse(self, reason: str) -> NoReturn:
        """Never returns."""
        raise CatalogError(self.file, self.path or "file", reason)


def _object(value: object, place: _Place) -> _Object:
    if not isinstance(value, dict):
        place.refuse("must be an object")
    return cast("_Object", value)


def _list(value: object, place: _Place) -> list[object]:
    if not isinstance(value, list):
        place.refuse("must be a list")
    return cast("list[object]", value)


def _pair(value: object, place: _Place) -> tuple[object, object]:
    given = _list(value, place)
    if len(given) != 2:
        place.refuse("must be a list of two")
    return given[0], given[1]


def _text(value: object, place: _Place) -> str:
    if not isinstance(value, str) or not value:
        place.refuse("must be a text")
    return value


def _texts(value: object, place: _Place) -> tuple[str, ...]:
    texts = _list(value, place)
    if not all(isinstance(each, str) and each for each in texts):
        place.refuse("must be a list of texts")
    return tuple(cast("list[str]", texts))


def _each(values: Sequence[object], place: _Place) -> list[tuple[object, _Place]]:
    return [(each, _Place(place.file, f"{place.path}[{at}]")) for at, each in enumerate(values)]


def _items(values: _Object, place: _Place) -> list[tuple[str, object, _Place]]:
    return [(key, each, place.at(key)) for key, each in values.items()]
