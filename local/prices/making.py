"""The text of the price book, made of a source and the operator's patterns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from local.prices.source import Offer, Provider, Source, WrittenRate
from tollkeeper.domain.book_names import Names, write_dates
from tollkeeper.edge.book_file import BOOK_FILE, FORMAT, check_book, parse_names

ZERO, FREE = "every rate is 0", "no rate at all"
UNPRICEABLE = "no rate that a usage can be charged by"

_Rows = Sequence[Mapping[str, object]]


class PatternError(Exception):
    """A pattern of the catalog names nothing that there is."""


@dataclass(kw_only=True)
class Made:
    """A price book as text, and what its source has and it has not.

    Shape: `left_out` are models by reason, `keys_left_out` the models of a key or variant.
    """

    text: str
    count: int
    left_out: Mapping[str, Sequence[str]]
    keys_left_out: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "list[str]"])


def make_book(source: Source, patterns: Sequence[str], *, generated: str) -> Made:
    """The book of every model that a pattern enables; the same input makes the same text.

    Raises: PatternError where a pattern enables nothing.
    """
    providers = {provider.id: provider for provider in source.providers}
    enabled = _enable(providers, patterns)
    left_out: dict[str, list[str]] = {}
    keys_left_out: dict[str, list[str]] = {}
    models: dict[str, list[dict[str, object]]] = {}
    for id_, names in enabled.items():
        priced = {each.id for each in providers[id_].offers if each.id in names and not _why(each)}
        for offer in providers[id_].offers:
            why = _why(offer)
            if offer.id in names and why:
                left_out.setdefault(why, []).append(f"{id_} {offer.id}")
            if offer.id in priced:
                for key in offer.left_out:
                    keys_left_out.setdefault(key, []).append(f"{id_} {offer.id}")
        if priced:
            models[id_] = _list_models(providers[id_].offers, names, priced)
    head: dict[str, object] = {
        "format": FORMAT,
        "source": source.name,
        "generated": generated,
        "models_of": list(patterns),
    }
    text = _write_book(head, [_write_provider(each) for each in source.providers], models)
    check_book(text, BOOK_FILE)
    count = sum("rates" in model for listed in models.values() for model in listed)
    return Made(text=text, count=count, left_out=left_out, keys_left_out=keys_left_out)


def _enable(providers: Mapping[str, Provider], patterns: Sequence[str]) -> dict[str, set[str]]:
    """The enabled model ids of each provider, the providers in the order of the patterns."""
    enabled: dict[str, set[str]] = {}
    if not patterns:
        raise PatternError("[prices].models is empty: name the models, such as openai:gpt-5*")
    for pattern in patterns:
        name, colon, models = pattern.partition(":")
        provider = providers.get(name)
        if not colon or provider is None:
            raise PatternError(f"{pattern!r} does not start with a provider of the source and ':'")
        found = {each.id for each in provider.offers if _matches(each.id, models)}
        if not found:
            raise PatternError(f"{pattern!r} matches no model of the source")
        enabled.setdefault(name, set()).update(found)
    return enabled


def _matches(model: str, pattern: str) -> bool:
    return fnmatchcase(model.lower(), pattern.lower())


def _why(offer: Offer) -> str:
    """Why the model cannot be in a book; "" where it can.

    Why: a model that is free at any time would be charged nothing by accident.
    """
    for price in offer.prices:
        if not price.rates:
            return UNPRICEABLE if offer.left_out else FREE
        if all(_is_zero(rate) for rate in price.rates.values()):
            return ZERO
    return ""


def _is_zero(rate: WrittenRate) -> bool:
    if isinstance(rate, str):
        return rate == "0"
    return all((part if isinstance(part, str) else part[1]) == "0" for part in rate)


def _list_models(
    offers: Sequence[Offer], enabled: set[str], priced: set[str]
) -> list[dict[str, object]]:
    """The provider's models in its own order, with those that stand in front of one of them."""
    listed: list[dict[str, object]] = []
    names = {offer.id: parse_names(offer.aliases) for offer in offers}
    for at, offer in enumerate(offers):
        if offer.id in priced:
            listed.append(_write_model(offer))
            continue
        later = [names[each.id] for each in offers[at + 1 :] if each.id in priced]
        if offer.id in enabled or _hides(names[offer.id], later):
            listed.append(_write_names(offer))
    return listed


def _hides(names: Names, later: Iterable[Names]) -> bool:
    """A name of the model could be taken for a later one, where it is not in the book itself."""
    own = {*names.exact, *map(write_dates, names.exact)}
    for other in later:
        if any(other.match(name) for name in own) or any(map(names.match, other.exact)):
            return True
        if not names.is_exact and not other.is_exact:
            return True
    return False


def _write_names(offer: Offer) -> dict[str, object]:
    if offer.aliases == {"is": [offer.id.lower()]}:
        return {"id": offer.id}
    return {"id": offer.id, "aliases": offer.aliases}


def _write_model(offer: Offer) -> dict[str, object]:
    first, *later = offer.prices
    written = {**_write_names(offer), "rates": first.rates}
    if later:
        written["dated"] = [price.write() for price in later]
    if offer.variants:
        written["variants"] = {
            tier: [price.write() for price in prices] for tier, prices in offer.variants.items()
        }
    if offer.minimum_seconds:
        written["minimum_seconds"] = offer.minimum_seconds
    return written


def _write_provider(provider: Provider) -> dict[str, object]:
    written: dict[str, object] = {"id": provider.id}
    if provider.called:
        written["called"] = provider.called
    if provider.meant:
        written["meant"] = provider.meant
    if provider.sells:
        written["sells"] = list(provider.sells)
    return written


def _write_book(head: Mapping[str, object], providers: _Rows, models: Mapping[str, _Rows]) -> str:
    """The book as JSON with one model on a line, so that a change of one is a line of a diff."""
    lines = [f'"{key}":{_line(value)}' for key, value in head.items()]
    lines.append(f'"providers":{_lines(providers)}')
    shelves = ",\n".join(f"{_line(name)}:{_lines(of)}" for name, of in models.items())
    lines.append(f'"models":{{\n{shelves}\n}}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(values: _Rows) -> str:
    return "[\n" + ",\n".join(_line(each) for each in values) + "\n]"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
