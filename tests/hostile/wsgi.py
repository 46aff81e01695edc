"""The API in this process as a WSGI application: gateway, authorizer and handlers, no socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from local.gateway import Gateway
from local.schedules import Schedules
from local.template import Template, read_template
from local.wire import Request
from tests.support.driving import FakeContext, load

ROOT = Path(__file__).parents[2]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class InProcess:
    """A function that runs here."""

    def __init__(self, function: str) -> None:
        self._function = function

    def invoke(self, event: Mapping[str, object]) -> object:
        """The handler's answer."""
        return load(self._function).handler(dict(event), FakeContext())


@lru_cache(maxsize=1)
def stack_template() -> Template:
    """The template, read once: parsing takes longer than most tests."""
    return read_template(ROOT / "template.yaml")


def make_gateway() -> Gateway:
    """The template's routes and authorizers, in front of the real handlers."""
    template = stack_template()
    pools = {function: InProcess(function) for function in template.functions}
    schedules = Schedules((), invoke=_run_nothing, log=_drop)
    return Gateway(template, pools=pools, schedules=schedules, log=_drop)


def _run_nothing(_function: str, _event: Mapping[str, object]) -> None:
    """No schedule runs."""


def _drop(_: str) -> None:
    """The gateway's own lines are not shown."""


class Application:
    """What WSGI calls: whichever gateway a test put there."""

    gateway: Gateway | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The gateway's answer to the request."""
        assert self.gateway is not None, "a test puts one there first"
        answer = self.gateway.respond(read_environ(environ))
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, list(answer.headers))
        return [answer.body]


def read_environ(environ: dict[str, Any]) -> Request:
    """The request as it would have come over a socket."""
    headers = [
        (name[5:].replace("_", "-").lower(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    headers += [
        (name.replace("_", "-").lower(), str(environ[name]))
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(name)
    ]
    path, query = str(environ["REQUEST_URI"]).partition("?")[0], str(environ["QUERY_STRING"])
    target = f"{path}?{query}" if query else path
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        target=target,
        protocol="HTTP/1.1",
        headers=tuple(headers),
        body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
        source_ip="127.0.0.1",
    )
