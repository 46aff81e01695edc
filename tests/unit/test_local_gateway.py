"""The gateway answers as the deployed API would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from local.environments import BusyError, FunctionError
from local.gateway import Gateway, Site
from local.schedules import Schedules
from local.template import Template, read_template
from local.wire import Answer, Request

TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: [https://app.example.com]
        AllowMethods: [GET, POST]
        AllowHeaders: [authorization]
        ExposeHeaders: [x-credits-available]
        MaxAge: 600
      Auth:
        DefaultAuthorizer: ServiceKey
        Authorizers:
          ServiceKey:
            FunctionArn: !GetAtt AuthorizerFunction.Arn
            Identity: { Headers: [Authorization], Context: [routeKey], ReauthorizeEvery: 60 }
  AuthorizerFunction:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: functions/authorizer/, Handler: h.h, Timeout: 5, MemorySize: 128 }
  DeductFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/deduct/
      Handler: h.h
      Timeout: 5
      MemorySize: 128
      Events:
        Deduct: { Type: HttpApi, Properties: { Method: POST, Path: /v1/deduct } }
  PurchaseWebhookFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/purchase_webhook/
      Handler: h.h
      Timeout: 5
      MemorySize: 128
      Events:
        Stripe:
          Type: HttpApi
          Properties:
            Method: POST
            Path: /v1/webhooks/stripe
            Auth: { Authorizer: NONE }
  PeriodResetFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/period_reset/
      Handler: h.h
      Timeout: 5
      MemorySize: 128
      Events:
        Sweep: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(15 minutes) } }
"""


class FakePool:
    """Stands for one function's environments: answers or raises what it is told to."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.events: list[Mapping[str, object]] = []

    def invoke(self, event: Mapping[str, object]) -> object:
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A small stack with one route of each sort."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return read_template(path)


class House:
    """A gateway over fake functions."""

    def __init__(self, template: Template, *, site: Site | None = None) -> None:
        self.authorizer = FakePool({"isAuthorized": True, "context": {"principal": "service:k"}})
        self.deduct = FakePool({"statusCode": 200, "body": "{}"})
        self.webhook = FakePool({"statusCode": 202, "body": "taken"})
        self.period_reset = FakePool({"swept": 3})
        pools = {
            "authorizer": self.authorizer,
            "deduct": self.deduct,
            "purchase_webhook": self.webhook,
            "period_reset": self.period_reset,
        }
        self.is_ready = True
        self.gateway = Gateway(
            template,
            pools=pools,
            schedules=Schedules(
                template.schedules,
                invoke=lambda function, event: pools[function].invoke(event),
                log=lambda _: None,
            ),
            log=lambda _: None,
            is_ready=lambda: self.is_ready,
            sites=() if site is None else (site,),
        )

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: tuple[tuple[str, str], ...] = (("authorization", "Bearer k"),),
        host: str = "127.0.0.1:8080",
        body: bytes = b"",
    ) -> Answer:
        return self.gateway.respond(
            Request(
                method=method,
                target=target,
                protocol="HTTP/1.1",
                headers=(("host", host), *headers),
                body=body,
                source_ip="127.0.0.1",
            )
        )


def message(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["message"]


def test_a_function_answers_its_route_with_the_caller_in_its_event(template: Template) -> None:
    house = House(template)

    answer = house.ask("POST", "/v1/deduct", body=b"{}")

    assert (answer.status, answer.body) == (200, b"{}")
    context = cast("dict[str, object]", house.deduct.events[0]["requestContext"])
    assert context["authorizer"] == {"lambda": {"principal": "service:k"}}


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/v1/deduct"), ("POST", "/v1/other"), ("GET", "/"), ("GET", "/_local/other")],
)
def test_what_no_route_names_is_not_found(template: Template, method: str, target: str) -> None:
    assert message(House(template).ask(method, target)) == (404, "Not Found")


def test_a_request_without_key_is_unauthorized(template: Template) -> None:
    house = House(template)

    assert message(house.ask("POST", "/v1/deduct", headers=())) == (401, "Unauthorized")
    assert house.deduct.events == []


def test_a_denied_request_is_forbidden(template: Template) -> None:
    house = House(template)
    house.authorizer.answer = {"isAuthorized": False}

    assert message(house.ask("POST", "/v1/deduct")) == (403, "Forbidden")
    assert house.deduct.events == []


def test_a_public_route_asks_no_authorizer(template: Template) -> None:
    house = House(template)

    assert house.ask("POST", "/v1/webhooks/stripe", headers=()).status == 202
    assert house.authorizer.events == []


def test_a_function_that_fails_is_an_internal_error(template: Template) -> None:
    house = House(template)
    house.deduct.answer = FunctionError(error_type="KeyError", message="secret detail")

    assert message(house.ask("POST", "/v1/deduct")) == (500, "Internal Server Error")


def test_a_function_whose_environments_are_all_busy_is_unavailable(template: Template) -> None:
    house = House(template)
    house.deduct.answer = BusyError("deduct")

    assert message(house.ask("POST", "/v1/deduct")) == (503, "Service Unavailable")


def test_an_allowed_origin_may_read_the_answer(template: Template) -> None:
    house = House(template)
    house.deduct.answer = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}
    headers = (("authorization", "k"), ("origin", "https://app.example.com"))

    answer = house.ask("POST", "/v1/deduct", headers=headers)

    cors = [pair for pair in answer.headers if pair[0].startswith("Access-Control")]
    assert cors == [
        ("Access-Control-Allow-Origin", "https://app.example.com"),
        ("Access-Control-Expose-Headers", "x-credits-available"),
    ]


def test_another_origin_may_not(template: Template) -> None:
    headers = (("authorization", "k"), ("origin", "https://evil.example.com"))

    answer = House(template).ask("POST", "/v1/deduct", headers=headers)

    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("origin", "count"), [("https://app.example.com", 4), ("https://evil.example.com", 0)]
)
def test_a_preflight_is_answered_without_key_or_function(
    template: Template, origin: str, count: int
) -> None:
    house = House(template)
    headers = (("origin", origin), ("access-control-request-method", "POST"))

    answer = house.ask("OPTIONS", "/v1/deduct", headers=headers)

    assert answer.status == 204
    assert len(answer.headers) == count
    assert house.deduct.events == house.authorizer.events == []


def test_health_says_whether_the_database_is_there(template: Template) -> None:
    house = House(template)
    assert house.ask("GET", "/healthz", headers=()).status == 200

    house.is_ready = False
    assert house.ask("GET", "/healthz", headers=()).status == 503


def test_a_schedule_runs_when_asked(template: Template) -> None:
    house = House(template)

    answer = house.ask("POST", "/_local/schedules/PeriodResetFunction")

    assert (answer.status, json.loads(answer.body)) == (200, {"swept": 3})
    assert house.period_reset.events[0]["source"] == "aws.scheduler"


def test_a_schedule_runs_with_the_event_that_is_sent(template: Template) -> None:
    house = House(template)

    house.ask("POST", "/_local/schedules/PeriodResetFunction", body=b'{"shards": [3]}')

    assert house.period_reset.events == [{"shards": [3]}]


def test_a_schedule_that_fails_says_why(template: Template) -> None:
    house = House(template)
    house.period_reset.answer = FunctionError(error_type="KeyError", message="x")

    answer = house.ask("POST", "/_local/schedules/PeriodResetFunction")

    assert answer.status == 500
    assert json.loads(answer.body) == {"errorType": "KeyError", "errorMessage": "x"}


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("/_local/schedules/DeductFunction", b"", 404),
        ("/_local/schedules/", b"", 404),
        ("/_local/schedules/PeriodResetFunction", b"[1]", 400),
        ("/_local/schedules/PeriodResetFunction", b"{", 400),
    ],
)
def test_only_a_schedule_can_be_run(
    template: Template, target: str, body: bytes, status: int
) -> None:
    house = House(template)

    assert house.ask("POST", target, body=body).status == status
    assert house.period_reset.events == house.deduct.events == []


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:8080", "127.0.0.1.nip.io"])
def test_a_page_of_the_web_cannot_reach_the_gateway_s_own_paths(
    template: Template, host: str
) -> None:
    house = House(template)

    assert house.ask("POST", "/_local/schedules/PeriodResetFunction", host=host).status == 403
    assert house.period_reset.events == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080"])
def test_this_machine_s_names_reach_them(template: Template, host: str) -> None:
    answer = House(template).ask("POST", "/_local/schedules/PeriodResetFunction", host=host)

    assert answer.status == 200


class Shop:
    """A site with paths of its own."""

    def serves(self, path: str) -> bool:
        """Everything below /_shop/."""
        return path.startswith("/_shop/")

    def respond(self, request: Request, path: str) -> Answer:
        """What was asked."""
        return Answer(status=203, body=f"{request.method} {path}".encode())


def test_a_site_answers_its_own_paths_to_this_machine_alone(template: Template) -> None:
    house = House(template, site=Shop())

    answer = house.ask("POST", "/_shop/v1/things?a=1")

    assert (answer.status, answer.body) == (203, b"POST /_shop/v1/things")
    assert house.ask("POST", "/_shop/v1/things", host="evil.example.com").status == 403
    assert House(template).ask("POST", "/_shop/v1/things").status == 404


def test_an_event_is_delivered_through_the_real_webhook_route(template: Template) -> None:
    house = House(template)

    status, text = house.gateway.post_webhook({"Stripe-Signature": "t=1,v1=a"}, b'{"id": "evt_1"}')

    assert (status, text) == (202, b"taken")
    event = house.webhook.events[0]
    assert event["body"] == '{"id": "evt_1"}'
    assert cast("dict[str, str]", event["headers"])["stripe-signature"] == "t=1,v1=a"
