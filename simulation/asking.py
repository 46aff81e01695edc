"""Clients: they ask, wait, give up, ask again with the same key, and remember every answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from simulation.deployment import Deployment, Invocation
from simulation.loop import SECOND_US, Promise
from simulation.network import Network
from simulation.watch import Watch
from tollkeeper.edge.routes import ROUTES, SCOPES

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
# A client's patience; after an hour, days or weeks somebody runs the job again.
RETRY_US = (SECOND_US, SECOND_US, SECOND_US, 11 * MINUTE_US, 25 * HOUR_US, 40 * DAY_US)
GATEWAY_TIMEOUT_US = 29 * SECOND_US
ROWLESS = frozenset({"POST /v1/checkout", "POST /v1/keys"})
HOLD = "POST /v1/holds"
SETTLE = "POST /v1/holds/{hold_id}/settle"
RELEASE = "POST /v1/holds/{hold_id}/release"
EXTEND = "POST /v1/holds/{hold_id}/extend"
# The steps of a hold that happen once, whatever key they are asked with.
STEPS = {HOLD: "open", SETTLE: "settle", RELEASE: "release"}
CONTEXT = {
    "lambda": {
        "principal": "service:storm",
        "scopes": " ".join(sorted(SCOPES)),
        "expires_at": "",
    }
}


@dataclass
class Attempt:
    """One try of a request. `status` is 0 where the client never saw an answer."""

    sent_us: int
    invocation: Invocation
    ended_us: int = 0
    status: int = 0
    body: Any = None


@dataclass
class Asked:
    """One request of a client with all its tries. `key` is empty where it needs none.

    `partner` is the other account that it may change; `promised` the estimate that it relies on.
    """

    story: str
    route_key: str
    account: str
    body: Any
    key: str = ""
    path: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])
    raw: str | None = None
    expects: tuple[int, ...] = ()
    partner: str = ""
    promised: dict[str, Any] = field(default_factory=dict[str, Any])
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def hold(self) -> str:
        """The id of the hold that it is about; empty where it is about none."""
        if self.route_key == HOLD:
            return str(self.body.get("hold_id") or self.key)
        return self.path.get("hold_id", "")

    @property
    def row_key(self) -> str:
        """The key of the row that it writes in its account; empty where it writes none."""
        step = STEPS.get(self.route_key)
        if step is not None and self.body.get("final", True):
            return f"h#{self.hold}#{step}"
        return f"c#{self.key}" if self.key and self.route_key not in ROWLESS else ""

    def answers(self) -> list[Attempt]:
        """The tries that were answered for certain: neither lost nor asked to come again."""
        return [each for each in self.attempts if 200 <= each.status < 500]

    def headers_at(self, network: Network) -> dict[str, str]:
        """The headers that are sent now."""
        del network
        return self.headers

    def successes(self) -> list[Attempt]:
        """The tries that were answered with what was asked for."""
        return [each for each in self.attempts if 200 <= each.status < 300]

    def is_settled(self) -> bool:
        """The client knows what became of it."""
        return bool(self.answers())


class Clients:
    """Everybody who sends requests to one deployment."""

    def __init__(self, deployment: Deployment, watch: Watch) -> None:
        self.deployment = deployment
        self.watch = watch
        self.loop = deployment.loop
        self.faults = deployment.network.faults
        self.random = self.faults.random
        self.asked: list[Asked] = []

    def blame(self, rule: str, where: str, what: str) -> None:
        """A rule is broken."""
        self.watch.blame(rule, where, what)

    def note(self, asked: Asked) -> Asked:
        """The request is one of those that are judged at the end."""
        self.asked.append(asked)
        return asked

    def ask(self, asked: Asked, *, tries: int = 3) -> Attempt:
        """The last of up to so many tries, the first that was answered for certain."""
        attempt = self.try_once(asked)
        for _ in range(tries - 1):
            if 200 <= attempt.status < 500:
                break
            self.loop.sleep(self._pause_us())
            attempt = self.try_once(asked)
        return attempt

    def _pause_us(self) -> int:
        if self.faults.strikes("late_retry", 0.3):
            return self.random.choice(RETRY_US) + self.random.randrange(SECOND_US)
        return self.random.randrange(SECOND_US)

    def ask_twice_at_once(self, asked: Asked) -> None:
        """Two tries of the same request are under way at the same time."""
        self.faults.counts["duplicate_request"] += 1
        other = Promise(self.loop)

        def ask_too() -> None:
            self.try_once(asked)
            other.keep(True)

        self.loop.spawn(ask_too, after_us=self.random.randrange(20_000))
        self.ask(asked)
        other.wait(GATEWAY_TIMEOUT_US)

    def try_once(self, asked: Asked) -> Attempt:
        """One try, as far as the client sees it."""
        headers = asked.headers_at(self.deployment.network)
        event = make_event(asked, headers, len(self.deployment.invocations))
        invocation = self.deployment.invoke(ROUTES[asked.route_key].function, event)
        invocation.account, invocation.partner = asked.account, asked.partner
        attempt = Attempt(self.loop.now_us, invocation)
        asked.attempts.append(attempt)
        patience = GATEWAY_TIMEOUT_US
        if self.faults.strikes("invocation_lost", 0.03):
            patience = self.random.randrange(10, 3_000) * 1000
        tell = self.deployment.network.tell
        tell(f"{asked.story} asks #{invocation.number} {asked.route_key} {asked.body or ''}")
        if invocation.done.wait(patience):
            self._read(attempt, invocation)
        attempt.ended_us = self.loop.now_us
        tell(f"{asked.story} is told by #{invocation.number} {attempt.status} {attempt.body}")
        return attempt

    def _read(self, attempt: Attempt, invocation: Invocation) -> None:
        if invocation.answer is None:
            attempt.status = 500
        elif not self.faults.strikes("answer_lost", 0.05):
            attempt.status = int(invocation.answer["statusCode"])
            attempt.body = read_body(invocation.answer)


def read_body(answer: dict[str, Any]) -> Any:
    """The answer's body with exact numbers; text where it is no JSON."""
    text = answer.get("body") or ""
    return json.loads(text, parse_float=str) if text.startswith(("{", "[")) else text


def make_event(asked: Asked, given: dict[str, str], number: int) -> dict[str, Any]:
    """The event that API Gateway sends for the request."""
    method, path = asked.route_key.split(" ")
    for name, value in asked.path.items():
        path = path.replace("{" + name + "}", value)
    headers = {"content-type": "application/json", **given}
    if asked.key:
        headers["idempotency-key"] = asked.key
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": asked.route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
            "requestId": f"request-{number}",
            "stage": "$default",
            "authorizer": CONTEXT,
        },
        "isBase64Encoded": False,
    }
    if asked.path:
        event["pathParameters"] = asked.path
    if asked.query:
        event["queryStringParameters"] = asked.query
    if asked.raw is not None:
        event["body"] = asked.raw
    elif asked.body is not None:
        event["body"] = json.dumps(asked.body)
    return event
