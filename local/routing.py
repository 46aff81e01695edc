"""Which route of the API answers a method and a path, by API Gateway's rules of precedence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from local.template import Route


@dataclass(frozen=True, kw_only=True)
class Match:
    """The route that answers, and what stood in the place of its path variables."""

    route: Route
    path_parameters: dict[str, str]


class RouteTable:
    """The routes in the order in which they are tried.

    Why: a fixed segment goes before a variable, a variable before a greedy one, and a route that
    names its method before ANY.
    Source: AWS, "Create routes for HTTP APIs in API Gateway", routing API requests.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, _segments(route.path)) for route in sorted(routes, key=_precedence)]

    def match(self, *, method: str, path: str) -> Match | None:
        """The route for a method and a decoded path, or None where the API answers 404."""
        segments = _segments(path)
        for route, pattern in self._routes:
            if route.method not in (method, "ANY"):
                continue
            path_parameters = _bind(pattern, segments)
            if path_parameters is not None:
                return Match(route=route, path_parameters=path_parameters)
        return None


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _is_greedy(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("+}")


def _precedence(route: Route) -> tuple[list[int], bool]:
    ranks = [
        2 if _is_greedy(segment) else 1 if segment.startswith("{") else 0
        for segment in _segments(route.path)
    ]
    return ranks, route.method == "ANY"


def _bind(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    bound: dict[str, str] = {}
    for index, expected in enumerate(pattern):
        if _is_greedy(expected):
            rest = "/".join(segments[index:])
            return {**bound, expected[1:-2]: rest} if rest else None
        if index >= len(segments):
            return None
        if expected.startswith("{"):
            if not segments[index]:
                return None
            bound[expected[1:-1]] = segments[index]
        elif expected != segments[index]:
            return None
    return bound if len(pattern) == len(segments) else None
