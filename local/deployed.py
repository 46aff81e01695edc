"""The deployed stack as a client sees it: the gateway of `make run` before the real functions.

Why: the stand-in's HTTP API knows no routes of a template. The gateway does, with the authorizer
and its cache, and makes the events that API Gateway would make.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import boto3

from local.environments import FunctionError, FunctionPool
from local.gateway import Gateway
from local.schedules import Schedules
from local.template import Template
from local.wire import Request

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class CheckError(Exception):
    """The deployed stack did not do what it promises."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the API."""

    status: int
    headers: Mapping[str, str]
    members: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class DeployedFunction:
    """A function of the deployed stack; the gateway invokes it as it invokes a local one."""

    client: LambdaClient
    name: str

    def invoke(self, event: Mapping[str, object]) -> object:
        """The function's answer, through Lambda's own API. Raises: FunctionError."""
        payload = json.dumps(event).encode()
        answer = self.client.invoke(FunctionName=self.name, Payload=payload)
        members: object = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            failure = cast("dict[str, object]", members)
            raise FunctionError(
                error_type=str(failure.get("errorType")), message=str(failure.get("errorMessage"))
            )
        return members


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The stack as its outputs describe it, behind a gateway."""

    gateway: Gateway
    outputs: Mapping[str, str]
    key: str

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Reply:
        """The answer to one request; without `headers` it is sent with the service key."""
        sent = {"authorization": f"Bearer {self.key}"} if headers is None else dict(headers)
        sent["content-type"] = "application/json"
        if idempotency_key is not None:
            sent["idempotency-key"] = idempotency_key
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        answer = self.gateway.respond(
            Request(
                method=method,
                target=path,
                protocol="HTTP/1.1",
                headers=(("host", "api.example.com"), *sent.items()),
                body=text.encode(),
                source_ip="127.0.0.1",
            )
        )
        try:
            members: object = json.loads(answer.body or b"{}")
        except ValueError:
            raise CheckError(f"{method} {path} answers {answer.body!r}") from None
        return Reply(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers},
            members=cast("dict[str, object]", members),
        )


def expect(reply: Reply, status: int, /, **members: object) -> Reply:
    """The answer has this status and these members. Raises: CheckError with the whole answer."""
    found = {name: reply.members.get(name) for name in members}
    if reply.status != status or found != members:
        raise CheckError(f"expected {status} {members}, found {reply.status} {reply.members}")
    return reply


def make_gateway(template: Template, outputs: Mapping[str, str]) -> Gateway:
    """The gateway of `make run`, before the deployed functions."""
    client: LambdaClient = boto3.client("lambda")  # pyright: ignore[reportUnknownMemberType]
    pools = {
        name: DeployedFunction(client=client, name=outputs[f"{function.logical_id}Name"])
        for name, function in template.functions.items()
    }
    schedules = Schedules(
        template.schedules, invoke=lambda name, event: pools[name].invoke(event), log=_log
    )
    return Gateway(
        template,
        pools=cast("Mapping[str, FunctionPool]", pools),
        schedules=schedules,
        log=_log,
    )


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
