"""The gateway's events have the members that API Gateway documents, and no others."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import cast

import pytest

from local.events import (
    Received,
    authorizer_event,
    decoded_path,
    new_request_id,
    proxy_event,
    schedule_event,
)
from local.wire import Request

HEADERS = (
    ("host", "127.0.0.1:8080"),
    ("user-agent", "curl/8.7.1"),
    ("accept", "*/*"),
)


def make_received(
    target: str = "/v1/accounts/user_1",
    *,
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    route_key: str = "GET /v1/accounts/{id}",
    path_parameters: dict[str, str] | None = None,
) -> Received:
    request = Request(
        method=method,
        target=target,
        protocol="HTTP/1.1",
        headers=(*HEADERS, *headers),
        body=body,
        source_ip="127.0.0.1",
    )
    return Received(
        request=request,
        route_key=route_key,
        path=decoded_path(request),
        path_parameters=path_parameters or {},
        request_id="JKJaXmPLvHcESHA=",
        received_at=datetime(2026, 3, 10, 5, 16, 23, 408_000, tzinfo=UTC),
    )


def members(event: dict[str, object], name: str) -> dict[str, object]:
    return cast("dict[str, object]", event[name])


def test_an_event_without_query_cookies_body_or_variables_lacks_those_members() -> None:
    event = proxy_event(make_received("/v1/packs"), authorizer_context=None)

    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


def test_an_event_with_everything_has_every_documented_member() -> None:
    received = make_received(
        "/v1/accounts/user_1?parameter1=value1&parameter1=value2&parameter2=value",
        method="POST",
        headers=(("cookie", "cookie1=a; cookie2=b"), ("content-type", "application/json")),
        body=b'{"a": 1}',
        path_parameters={"id": "user_1"},
    )

    event = proxy_event(received, authorizer_context={"principal": "service:k1"})

    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "requestContext",
        "body",
        "pathParameters",
        "isBase64Encoded",
    }
    assert set(members(event, "requestContext")) == {
        "accountId",
        "apiId",
        "authorizer",
        "domainName",
        "domainPrefix",
        "http",
        "requestId",
        "routeKey",
        "stage",
        "time",
        "timeEpoch",
    }


def test_the_request_context_says_who_asked_for_what_and_when() -> None:
    context = members(
        proxy_event(make_received(), authorizer_context={"scopes": "read"}), "requestContext"
    )

    assert context["http"] == {
        "method": "GET",
        "path": "/v1/accounts/user_1",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8.7.1",
    }
    assert context["authorizer"] == {"lambda": {"scopes": "read"}}
    assert context["stage"] == "$default"
    assert context["routeKey"] == "GET /v1/accounts/{id}"
    assert context["time"] == "10/Mar/2026:05:16:23 +0000"
    assert context["timeEpoch"] == 1773119783408
    assert context["domainName"] == "127.0.0.1"
    assert context["requestId"] == "JKJaXmPLvHcESHA="


def test_a_route_without_authorizer_has_no_authorizer_member() -> None:
    context = members(proxy_event(make_received(), authorizer_context=None), "requestContext")

    assert "authorizer" not in context


def test_headers_are_one_text_each_and_cookies_stand_apart() -> None:
    received = make_received(
        headers=(("x-two", "1"), ("x-two", "2"), ("cookie", "a=1; b=2"), ("cookie", "c=3")),
    )

    event = proxy_event(received, authorizer_context=None)

    headers = members(event, "headers")
    assert headers["x-two"] == "1,2"
    assert "cookie" not in headers
    assert event["cookies"] == ["a=1", "b=2", "c=3"]


def test_headers_carry_what_the_gateway_itself_adds() -> None:
    received = make_received(headers=(("connection", "keep-alive"), ("x-forwarded-for", "9.9.9.9")))

    headers = members(proxy_event(received, authorizer_context=None), "headers")

    assert headers["content-length"] == "0"
    assert headers["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
    assert headers["x-forwarded-port"] == "8080"
    assert headers["x-forwarded-proto"] == "http"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", str(headers["x-amzn-trace-id"]))
    assert "connection" not in headers


def test_a_query_is_decoded_and_its_doubles_are_joined_by_commas() -> None:
    event = proxy_event(
        make_received("/v1/packs?a=1&a=2%20b&empty=&c=x+y"), authorizer_context=None
    )

    assert event["rawQueryString"] == "a=1&a=2%20b&empty=&c=x+y"
    assert event["queryStringParameters"] == {"a": "1,2 b", "empty": "", "c": "x y"}


def test_the_path_and_its_variables_are_decoded_once() -> None:
    received = make_received(
        "/v1/accounts/auth0%7Cx%2525?q=1", path_parameters={"id": "auth0|x%25"}
    )

    event = proxy_event(received, authorizer_context=None)

    assert event["rawPath"] == "/v1/accounts/auth0|x%25"
    assert event["pathParameters"] == {"id": "auth0|x%25"}


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON;charset=UTF-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("text/plain", True),
        ("text/csv", True),
        ("text/plain; charset=iso-8859-1", False),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("application/problem+json", False),
        ("image/png", False),
        (None, False),
    ],
)
def test_a_body_is_text_for_the_types_that_api_gateway_reads_as_text(
    content_type: str | None, is_text: bool
) -> None:
    headers = () if content_type is None else (("content-type", content_type),)
    received = make_received(method="POST", headers=headers, body='{"ä": 1}'.encode())

    event = proxy_event(received, authorizer_context=None)

    assert event["isBase64Encoded"] is not is_text
    expected = '{"ä": 1}' if is_text else base64.b64encode('{"ä": 1}'.encode()).decode()
    assert event["body"] == expected


def test_a_text_body_that_is_not_utf_8_keeps_its_bytes() -> None:
    received = make_received(
        method="POST", headers=(("content-type", "application/json"),), body=b'{"a": "\xff"}'
    )

    event = proxy_event(received, authorizer_context=None)

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(str(event["body"])) == b'{"a": "\xff"}'


def test_an_authorizer_sees_the_request_and_its_identity_but_never_the_body() -> None:
    received = make_received(
        "/v1/accounts/user_1?a=1",
        method="POST",
        headers=(("authorization", "Bearer tk_dev_a_b"),),
        body=b"{}",
        path_parameters={"id": "user_1"},
    )

    event = authorizer_event(received, identity=("Bearer tk_dev_a_b", received.route_key))

    assert set(event) == {
        "version",
        "type",
        "routeArn",
        "identitySource",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "queryStringParameters",
        "requestContext",
        "pathParameters",
    }
    assert event["type"] == "REQUEST"
    assert event["identitySource"] == ["Bearer tk_dev_a_b", "GET /v1/accounts/{id}"]
    assert event["routeArn"] == (
        "arn:aws:execute-api:us-east-1:123456789012:local/$default/POST/v1/accounts/user_1"
    )


def test_a_schedule_without_input_sends_the_scheduler_s_own_event() -> None:
    event = schedule_event(name="Sweep", at=datetime(2026, 3, 10, 5, 16, 23, tzinfo=UTC))

    assert set(event) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
    assert event["source"] == "aws.scheduler"
    assert event["time"] == "2026-03-10T05:16:23Z"
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/Sweep"]


def test_request_ids_have_the_gateway_s_form_and_differ() -> None:
    ids = {new_request_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(text) == 16 and text.endswith("=") for text in ids)
