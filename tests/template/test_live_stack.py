"""template.yaml: live updates are an option; who may publish and who may hear is written out."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from local.cloudformation import TemplateError
from local.events_source import MOST_READERS, read_stream_sources
from local.template import Template, read_template
from tests.support.driving import FakeClock
from tollkeeper.domain.entries import AccountId
from tollkeeper.domain.live import NAMESPACE, channels_at
from tollkeeper.edge.live_publishing import BATCH_S

ON = read_template()
OFF = read_template(parameters={"LiveUpdates": "off"})
MADE = {
    "LiveFunction",
    "LiveStream",
    "LiveLogGroup",
    "LiveErrorsAlarm",
    "LiveApi",
    "LiveChannels",
    "LiveAccessFunction",
    "LiveAccessPermission",
    "LiveAccessLogGroup",
    "LiveAccessErrorsAlarm",
}


def properties(logical_id: str, template: Template = ON) -> dict[str, Any]:
    return cast("dict[str, Any]", template.resources[logical_id]["Properties"])


def test_without_it_nothing_of_it_is_made_and_nothing_refers_to_it() -> None:
    assert set(ON.resources) - set(OFF.resources) == MADE
    assert "LiveApi" not in str(OFF.resources)
    assert set(read_stream_sources(OFF)) == {"notify"}


@pytest.mark.parametrize("function", ["account", "account_page"])
def test_who_says_where_the_socket_is_knows_whether_there_is_one(function: str) -> None:
    assert OFF.functions[function].environment["LIVE_SOCKET_URL"] == ""
    assert ON.functions[function].environment["LIVE_SOCKET_URL"] == (
        "wss://LiveApi.Dns.Realtime/event/realtime"
    )


def test_the_function_publishes_where_accounts_are_told_to_listen() -> None:
    published = ON.functions["live"].environment["LIVE_PUBLISH_URL"]

    assert published == "https://LiveApi.Dns.Http/event"
    assert published == ON.functions["account"].environment["LIVE_PUBLISH_URL"]
    assert properties("LiveChannels")["ApiId"] == "LiveApi.ApiId"


def test_channels_are_of_the_templates_namespace_and_of_the_services_form() -> None:
    channel = channels_at(AccountId("user|@:1"), FakeClock().now())[0]

    assert properties("LiveChannels")["Name"] == NAMESPACE
    segments = channel.split("/")[1:]
    assert segments[0] == NAMESPACE and len(segments) <= 5
    assert all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?", s) for s in segments)


def test_only_a_role_publishes_and_only_the_authorizer_lets_in() -> None:
    config, namespace = properties("LiveApi")["EventConfig"], properties("LiveChannels")
    asks, role = [{"AuthType": "AWS_LAMBDA"}], [{"AuthType": "AWS_IAM"}]

    assert config["ConnectionAuthModes"] == asks
    assert config["DefaultSubscribeAuthModes"] == namespace["SubscribeAuthModes"] == asks
    assert config["DefaultPublishAuthModes"] == namespace["PublishAuthModes"] == role
    assert {each["AuthType"] for each in config["AuthProviders"]} == {"AWS_LAMBDA", "AWS_IAM"}


def test_an_allow_is_never_kept() -> None:
    (provider,) = [
        each
        for each in properties("LiveApi")["EventConfig"]["AuthProviders"]
        if each["AuthType"] == "AWS_LAMBDA"
    ]
    config = provider["LambdaAuthorizerConfig"]

    assert config["AuthorizerUri"] == "LiveAccessFunction.Arn"
    assert int(config["AuthorizerResultTtlInSeconds"]) == 0


def test_only_this_event_api_may_ask_its_authorizer() -> None:
    assert properties("LiveAccessPermission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "LiveAccessFunction",
        "Principal": "appsync.amazonaws.com",
        "SourceArn": "LiveApi.ApiArn",
    }


def test_the_authorizers_of_both_apis_know_the_same() -> None:
    """What one of them is told of tokens and issuers, the other one has to know as well."""
    of_api, of_sockets = ON.functions["authorizer"], ON.functions["live_access"]

    assert of_api.environment == of_sockets.environment


def test_a_failed_publish_holds_the_stream_up_for_a_minute_at_most() -> None:
    mapping = properties("LiveStream")

    assert mapping["StartingPosition"] == "LATEST"
    assert int(mapping["MaximumRecordAgeInSeconds"]) == 60
    assert int(mapping["MaximumRetryAttempts"]) <= 2
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "DestinationConfig" not in mapping
    assert ON.functions["live"].timeout_s - 3 > BATCH_S


def test_it_tells_of_the_same_rows_as_the_bus() -> None:
    assert (
        properties("LiveStream")["FilterCriteria"] == properties("NotifyStream")["FilterCriteria"]
    )


def test_a_stream_has_no_third_reader() -> None:
    assert len(read_stream_sources(ON)) == MOST_READERS == 2
    third = {**ON.resources, "ThirdStream": ON.resources["LiveStream"]}
    with pytest.raises(TemplateError):
        read_stream_sources(cast("Template", type("T", (), {"resources": third})()))
