"""Return URLs: where a payment page may send its customer, judged by exact origin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from tollkeeper.domain.errors import InvalidError

# Why: what browsers and parsers read differently (blanks, controls, backslashes, quotes) is out.
PLAIN = re.compile(r"[!-~]+", re.ASCII)
NEVER = frozenset('\\"<>^`|#')
PORTS = {"http": 80, "https": 443}
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what must be equal."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ReturnPolicy:
    """The origins that may be returned to; with `allows_loopback` also any port of this machine."""

    origins: tuple[str, ...]
    allows_loopback: bool = False

    def refuse_others(self, url: str, member: str) -> None:
        """Nothing, where the URL is on an origin of the list. Raises: InvalidError."""
        split = _split(url, member)
        origin = _origin(split)
        if origin is None:
            raise InvalidError(member, "must be an https URL with a host and a valid port")
        is_own = self.allows_loopback and origin.scheme == "http" and origin.host in LOOPBACK
        if not is_own and origin not in _listed(self.origins):
            shown = ", ".join(self.origins) or "no origin"
            raise InvalidError(member, f"must be on an origin that is allowed: {shown}")


def _split(url: str, member: str) -> SplitResult:
    if PLAIN.fullmatch(url) is None or NEVER & set(url):
        raise InvalidError(member, "must be a plain URL with no blanks, quotes, backslash or #")
    try:
        split = urlsplit(url)
    except ValueError:
        raise InvalidError(member, "must be a URL") from None
    if "@" in split.netloc:
        raise InvalidError(member, "must not name a user")
    return split


def _origin(split: SplitResult) -> Origin | None:
    """The URL's origin; None where it has none that a browser would open."""
    try:
        port = split.port
    except ValueError:
        return None
    if split.scheme not in PORTS or not split.hostname:
        return None
    return Origin(split.scheme, split.hostname, PORTS[split.scheme] if port is None else port)


def _listed(origins: tuple[str, ...]) -> set[Origin | None]:
    """The allow-list as origins; what says more or less than one origin allows nothing."""
    splits = [urlsplit(text) for text in origins if PLAIN.fullmatch(text)]
    bare = [s for s in splits if not (s.path or s.query or s.fragment or "@" in s.netloc)]
    return {_origin(split) for split in bare} - {None}
