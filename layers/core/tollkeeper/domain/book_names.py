"""Which model of the price book a name means: by the source's own clauses, never by likeness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tollkeeper.domain.rates import BookModel, same_standard_prices

LONGEST_NAME = 300
MOST_REMEMBERED = 2000
ROUTER, CLOUD = "openrouter", "aws"
# Any of these in front of a name says who routes the call, and nothing of the model.
NO_PROVIDER = frozenset(["", "litellm"])

_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[-:]|$)")
# `us.anthropic.claude-...`, `amazon.nova-...`: a maker's name before the first dot but one.
_CLOUD_NAME = re.compile(r"^(?:[a-z]{2,6}(?:-gov)?\.)?[a-z0-9]{2,20}\.[a-z][a-z0-9.:-]+$")


@dataclass(frozen=True, slots=True)
class Names:
    """What a name must be, or look like, in lower case: any one of all these."""

    exact: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    all_of: tuple[tuple[Names, ...], ...] = ()

    @property
    def is_exact(self) -> bool:
        """Nothing but whole names."""
        return not (self.starts or self.ends or self.has or self.regex or self.all_of)

    def match(self, name: str) -> bool:
        """The name, in lower case, is one of these."""
        return (
            name in self.exact
            or (bool(self.starts) and name.startswith(self.starts))
            or (bool(self.ends) and name.endswith(self.ends))
            or any(part in name for part in self.has)
            or any(re.search(pattern, name) for pattern in self.regex)
            or any(all(each.match(name) for each in group) for group in self.all_of)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A model on its provider's list, made when it is first asked for.

    Shape: `make` is None for a model that is known and not in the book; it takes its own names
    out of reach of the entries after it.
    """

    id: str
    names: Names
    make: Callable[[], BookModel] | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """A provider: how it is called, which names say that it is meant, and its models in order.

    Shape: `sells` are providers whose models it has too, at their standard rates.
    """

    provider: str
    called: Names
    meant: Names
    sells: tuple[str, ...]
    entries: Callable[[], Sequence[Entry]]


class _Unpriced:
    """A model that the source knows and the book does not price."""


_UNPRICED = _Unpriced()
_Found = BookModel | _Unpriced | None


class _Index:
    """A shelf made quick: whole names by look-up, all else in the order of the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._entries = tuple(shelf.entries())
        self._made: dict[int, BookModel] = {}
        self._exact: dict[str, int] = {}
        for place, entry in enumerate(self._entries):
            for name in entry.names.exact:
                self._exact.setdefault(name, place)
        self._patterns = [
            (place, entry.names)
            for place, entry in enumerate(self._entries)
            if not entry.names.is_exact
        ]

    def match(self, name: str) -> _Found:
        """The first model on the shelf that has this name."""
        exact = self._exact.get(name)
        for place, names in self._patterns:
            if exact is not None and place >= exact:
                break
            if names.match(name):
                return self._take(place)
        return None if exact is None else self._take(exact)

    def lists(self, name: str) -> _Found:
        """The model that has exactly this name, letter for letter."""
        exact = self._exact.get(name)
        return None if exact is None else self._take(exact)

    def models(self) -> Iterator[BookModel]:
        """Every model on the shelf that has a price."""
        for place in range(len(self._entries)):
            model = self._take(place)
            if isinstance(model, BookModel):
                yield model

    def _take(self, place: int) -> _Found:
        made = self._made.get(place)
        if made is None:
            make = self._entries[place].make
            if make is None:
                return _UNPRICED
            made = self._made[place] = make()
        return made


class PriceBook:
    """The prices of the models that the operator enabled, found by name.

    Why a class: shelves are indexed and models made when they are first needed, so that loading a
    book costs no more than reading its text.
    """

    def __init__(
        self, *, source: str, generated: str, shelves: Iterable[Shelf], stocked: Sequence[str]
    ) -> None:
        """Shape: `stocked` are the providers with a model in the book, the operator's first."""
        self.source = source
        self.generated = generated
        self.providers = tuple(stocked)
        self._shelves: Mapping[str, Shelf] = {shelf.provider: shelf for shelf in shelves}
        self._indexes: dict[str, _Index] = {}
        self._remembered: dict[tuple[str, str], BookModel | None] = {}

    def find(self, model: str, provider: str = "") -> BookModel | None:
        """The model that the name means with that provider, or with whichever it is proof of.

        A name that no clause of the source matches is None: nothing is guessed from its beginning.
        """
        key = (model, provider)
        if key in self._remembered:
            return self._remembered[key]
        found = self._find(model.lower(), provider.lower().strip())
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = found
        return found

    def provider_of(self, model: str) -> str:
        """The provider that the name alone is proof of; "" where it is of none."""
        found = self.find(model)
        if found is not None:
            return found.provider
        meant = self._meant(model.lower())
        return meant.provider if meant else ""

    def models(self, provider: str = "") -> Iterable[BookModel]:
        """Every model of that provider, or of all, in the order of the book."""
        if not provider:
            for each in self.providers:
                yield from self._index(self._shelves[each]).models()
            return
        shelf = self._shelf(provider.lower().strip())
        if shelf is not None:
            yield from self._index(shelf).models()

    def _find(self, name: str, provider: str) -> BookModel | None:
        if not name or len(name) > LONGEST_NAME:
            return None
        found = (
            self._find_anywhere(name) if provider in NO_PROVIDER else self._find_at(name, provider)
        )
        return found if isinstance(found, BookModel) else None

    def _find_at(self, name: str, provider: str) -> _Found:
        """The model with that provider, also under its own prefix: `models/`, `azure/`."""
        shelf = self._shelf(provider)
        if shelf is None:
            return None
        found = self._on_shelf(shelf, name)
        while found is None and "/" in name:
            prefix, name = _split_prefix(name)
            if prefix != "models" and self._shelf(prefix) is not shelf:
                return None
            found = self._on_shelf(shelf, name)
        return found

    def _find_anywhere(self, name: str) -> _Found:
        """The model of who the name is proof of, else of router, prefix, cloud or only seller."""
        meant = self._meant(name)
        found = self._on_shelf(meant, name) if meant else None
        if found is None and "/" in name:
            found = self._find_routed(name)
        if found is None and _CLOUD_NAME.match(name) and CLOUD in self._shelves:
            found = self._on_shelf(self._shelves[CLOUD], name)
        return self._find_listed(name) if found is None else found

    def _find_routed(self, name: str) -> _Found:
        """The router's model of that name, else the model of the provider before the slash."""
        if ROUTER in self._shelves:
            found = self._on_shelf(self._shelves[ROUTER], name)
            if found is not None:
                return found
        prefix, rest = _split_prefix(name)
        if prefix == "models":
            return self._find_anywhere(rest)
        return self._find_at(rest, prefix)

    def _find_listed(self, name: str) -> _Found:
        """The model that is listed under exactly this name, where nobody sells it otherwise."""
        listed = [self._index(self._shelves[each]).lists(name) for each in self.providers]
        models = [each for each in listed if isinstance(each, BookModel)]
        return models[0] if models and same_standard_prices(models) else None

    def _on_shelf(self, shelf: Shelf, name: str) -> _Found:
        """The provider's model, as listed or with a compact date written out."""
        found = self._match(shelf, name)
        if found is None:
            dated = write_dates(name)
            if dated != name:
                found = self._match(shelf, dated)
        return found

    def _match(self, shelf: Shelf, name: str) -> _Found:
        found = self._index(shelf).match(name)
        if found is not None:
            return found
        for provider in shelf.sells:
            seller = self._shelves.get(provider)
            found = self._index(seller).match(name) if seller else None
            if isinstance(found, BookModel):
                # The maker's batch and priority rates are not the reseller's.
                return replace(
                    found, provider=shelf.provider, rates_of=provider, variants={}, _applied={}
                )
            if found is not None:
                return found
        return None

    def _meant(self, name: str) -> Shelf | None:
        return next((each for each in self._shelves.values() if each.meant.match(name)), None)

    def _shelf(self, provider: str) -> Shelf | None:
        """The provider of that id, else the first that is also called so."""
        shelf = self._shelves.get(provider)
        if shelf is not None:
            return shelf
        return next((each for each in self._shelves.values() if each.called.match(provider)), None)

    def _index(self, shelf: Shelf) -> _Index:
        index = self._indexes.get(shelf.provider)
        if index is None:
            index = self._indexes[shelf.provider] = _Index(shelf)
        return index


def _split_prefix(name: str) -> tuple[str, str]:
    """What stands before the name: `models` for a path that ends so, else the first segment."""
    path, models, rest = name.rpartition("models/")
    if models and (not path or path.endswith("/")):
        return "models", rest
    prefix, _, rest = name.partition("/")
    return prefix, rest


def write_dates(name: str) -> str:
    """The name with a compact date written out: `-20251211` as `-2025-12-11`."""
    return _COMPACT_DATE.sub(_write_date, name)


def _write_date(compact: re.Match[str]) -> str:
    """The date in parts; what is no date stays."""
    year, month, day = (int(part) for part in compact.groups())
    try:
        date(year, month, day)
    except ValueError:
        return compact.group(0)
    return f"-{year:04d}-{month:02d}-{day:02d}"
