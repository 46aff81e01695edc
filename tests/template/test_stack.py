"""template.yaml holds what the stack promises: every route guarded, every function kept small."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from local.cloudformation import Node, as_list, as_mapping, as_text, parse
from local.events_source import read_stream_sources
from local.schedules import next_run_at
from local.template import TEMPLATE_PATH, Template, read_template, time_to_live_attribute
from tollkeeper.edge import reconciliation
from tollkeeper.edge.observability import NAMESPACE
from tollkeeper.edge.routes import PUBLIC, ROUTES, SIGNATURE
from tollkeeper.edge.verification import METRICS
from tollkeeper.service.verifying import PARTS_OF_A_SHARD, Slot, slot_of
from tollkeeper.store.keys import DUE_SHARDS

DOCUMENT = parse(TEMPLATE_PATH.read_text(encoding="utf-8"))
TEMPLATE = read_template(parameters={"AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:ops"})
FUNCTIONS = sorted(TEMPLATE.functions)
READERS = ("account", "authorizer", "check", "live", "live_access", "notify", "stats", "verify")
NOTIFIES = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "events:PutEvents",
    "sqs:SendMessage",
}
PUBLISHES = {
    "appsync:EventPublish",
    *(each for each in NOTIFIES if "Stream" in each or "Records" in each or "Shard" in each),
}
REFUSES = ("budget", "check", "deduct", "hold")
WRITES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
SECRETS = {
    "admin": {"KEY_PEPPER"},
    "authorizer": {"KEY_PEPPER"},
    "check": {"QUOTE_SECRET"},
    "checkout": {"KEY_PEPPER", "STRIPE_SECRET_KEY"},
    "deduct": {"QUOTE_SECRET"},
    "hold": {"QUOTE_SECRET"},
    "live_access": {"KEY_PEPPER"},
    "purchase_webhook": {"STRIPE_WEBHOOK_SECRET"},
    "reconcile": {"STRIPE_SECRET_KEY"},
    "top_up": {"STRIPE_SECRET_KEY"},
}


def properties(logical_id: str) -> dict[str, Node]:
    resource = TEMPLATE.resources[logical_id]
    return as_mapping(resource.get("Properties"), where=logical_id)


def of_type(kind: str) -> dict[str, dict[str, Node]]:
    return {
        logical_id: properties(logical_id)
        for logical_id, resource in TEMPLATE.resources.items()
        if resource["Type"] == kind
    }


def statements(function: str) -> list[dict[str, Node]]:
    own = properties(TEMPLATE.functions[function].logical_id)
    policies = as_list(own.get("Policies"), where="")
    found: list[dict[str, Node]] = []
    for policy in policies:
        # A text here would be a managed policy, and a mapping without Statement one of SAM's.
        members = as_mapping(policy, where=f"a policy of {function}")
        assert set(members) == {"Statement"}
        found += [as_mapping(each, where="") for each in as_list(members["Statement"], where="")]
    return found


def texts(node: Node) -> list[str]:
    return [as_text(each, where="") for each in (node if isinstance(node, list) else [node])]


def actions(function: str) -> set[str]:
    return {action for each in statements(function) for action in texts(each["Action"])}


def resources(function: str) -> set[str]:
    return {name for each in statements(function) for name in texts(each["Resource"])}


class TestRoutes:
    def test_the_template_and_the_route_table_name_the_same_routes(self) -> None:
        in_template = {route.route_key: route.function for route in TEMPLATE.routes}

        assert in_template == {key: route.function for key, route in ROUTES.items()}
        assert len(in_template) == len(TEMPLATE.routes)

    def test_a_route_is_open_at_the_gateway_exactly_where_its_function_asks(self) -> None:
        is_open = {route.route_key for route in TEMPLATE.routes if route.authorizer is None}

        assert is_open == {
            key
            for key, route in ROUTES.items()
            if route.scope in (PUBLIC, SIGNATURE) or route.asks_itself
        }

    def test_every_open_route_says_none_in_its_own_event(self) -> None:
        for logical_id, function in of_type("AWS::Serverless::Function").items():
            for name, event in as_mapping(function.get("Events"), where=logical_id).items():
                members = as_mapping(as_mapping(event, where=name)["Properties"], where=name)
                key = f"{members.get('Method')} {members.get('Path')}"
                if key in ROUTES and ROUTES[key].scope in (PUBLIC, SIGNATURE):
                    assert members["Auth"] == {"Authorizer": "NONE"}, name

    def test_the_default_authorizer_is_the_only_one_and_serves_every_other_route(self) -> None:
        auth = as_mapping(properties("Api")["Auth"], where="Api.Auth")

        assert list(TEMPLATE.authorizers) == [auth["DefaultAuthorizer"]]
        assert {route.authorizer for route in TEMPLATE.routes} <= {None, *TEMPLATE.authorizers}

    def test_an_allow_is_kept_for_key_and_route_together_and_for_a_minute_at_most(self) -> None:
        (authorizer,) = TEMPLATE.authorizers.values()

        assert authorizer.function == "authorizer"
        assert authorizer.identity_sources == ("$request.header.Authorization", "$context.routeKey")
        assert 0 < authorizer.ttl_s <= 60

    def test_the_authorizer_answers_in_the_simple_form_of_payload_2(self) -> None:
        auth = as_mapping(properties("Api")["Auth"], where="Api.Auth")
        (authorizer,) = as_mapping(auth["Authorizers"], where="").values()
        members = as_mapping(authorizer, where="")

        assert members["AuthorizerPayloadFormatVersion"] == "2.0"
        assert members["EnableSimpleResponses"] is True

    def test_every_function_is_on_a_route_a_schedule_a_stream_or_an_authorizer(self) -> None:
        used = {route.function for route in TEMPLATE.routes}
        used |= set(read_stream_sources(TEMPLATE))
        used |= {"live_access"}  # the event API's: tests/template/test_live_stack.py
        used |= {schedule.function for schedule in TEMPLATE.schedules}
        used |= {rule.function for rule in TEMPLATE.rules}
        used |= {authorizer.function for authorizer in TEMPLATE.authorizers.values()}

        assert used == set(TEMPLATE.functions)


class TestApi:
    def test_it_is_throttled_and_logged(self) -> None:
        settings = as_mapping(properties("Api")["DefaultRouteSettings"], where="")
        access_log = as_mapping(properties("Api")["AccessLogSettings"], where="")

        assert set(settings) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
        assert access_log["DestinationArn"] == "ApiLogGroup.Arn"

    def test_a_line_of_the_access_log_is_one_json_object(self) -> None:
        access_log = as_mapping(properties("Api")["AccessLogSettings"], where="")
        line: object = json.loads(as_text(access_log["Format"], where=""))

        assert {"request_id", "route", "status", "principal"} <= set(cast("dict[str, str]", line))

    def test_cors_names_origins_one_by_one(self) -> None:
        given = {"CorsOrigins": "https://a.example,https://b.example:8443"}

        cors = read_template(parameters=given).cors

        assert cors.allow_origins == ("https://a.example", "https://b.example:8443")

    @pytest.mark.parametrize("parameter", ["CorsOrigins", "ReturnUrls"])
    def test_an_origin_with_a_star_a_path_or_a_space_is_refused(self, parameter: str) -> None:
        declared = as_mapping(DOCUMENT["Parameters"], where="")
        pattern = as_text(as_mapping(declared[parameter], where="")["AllowedPattern"], where="")

        assert re.fullmatch(pattern, "https://a.example,http://localhost:3000")
        for wrong in ("*", "https://*.example", "https://a.example/", "https://a.example, b", ""):
            assert not re.fullmatch(pattern, wrong), wrong

    def test_cors_shows_our_headers(self) -> None:
        assert set(TEMPLATE.cors.expose_headers) == {
            "x-credits-available",
            "idempotency-replayed",
            "retry-after",
            "link",
            "etag",
        }
        sent = {"authorization", "idempotency-key", "if-none-match"}
        assert sent <= set(TEMPLATE.cors.allow_headers)


class TestPermissions:
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_no_action_and_no_resource_has_a_wildcard(self, function: str) -> None:
        assert all(each["Effect"] == "Allow" for each in statements(function))
        assert not any("*" in name for name in actions(function) | resources(function))

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_nobody_deletes_scans_or_updates_in_place(self, function: str) -> None:
        queued = {"sqs:SendMessage"}
        told = {"notify": NOTIFIES, "top_up": queued, "purchase_webhook": queued}
        told["live"] = PUBLISHES
        assert actions(function) <= {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "ssm:GetParameter",
        } | ({"events:PutEvents"} if function in REFUSES else told.get(function, set()))

    @pytest.mark.parametrize("function", READERS)
    def test_who_only_reads_has_no_action_that_writes(self, function: str) -> None:
        assert not actions(function) & WRITES

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_the_data_is_the_stacks_own_table_and_its_indexes(self, function: str) -> None:
        tables = {name for name in resources(function) if ":parameter/" not in name}

        allowed = {"Table.Arn", "Table.Arn/index/history", "Table.Arn/index/due"}
        if function in ("account", "report"):
            allowed |= {"Table.Arn/index/lists"}
        if function == "notify":
            allowed |= {"Table.StreamArn", "EventBus.Arn", "UnnotifiedQueue.Arn"}
        if function == "live":
            allowed |= {"Table.StreamArn", "LiveChannels.ChannelNamespaceArn"}
        if function == "top_up":
            allowed |= {"UntoppedQueue.Arn"}
        if function == "purchase_webhook":
            allowed |= {"UnappliedQueue.Arn"}
        if function in REFUSES:
            allowed |= {"EventBus.Arn"}
        assert tables <= allowed

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_an_index_is_only_queried(self, function: str) -> None:
        for statement in statements(function):
            if any("/index/" in name for name in texts(statement["Resource"])):
                assert texts(statement["Action"]) == ["dynamodb:Query"]

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_each_function_reads_the_secrets_it_needs_and_no_other(self, function: str) -> None:
        names = {name for name in resources(function) if ":parameter/" in name}

        assert {name.rpartition("/")[2] for name in names} == SECRETS.get(function, set())
        assert all(":parameter/tollkeeper/dev/" in name for name in names)

    @pytest.mark.parametrize("function", ["authorizer", "live_access"])
    def test_an_authorizer_reads_no_partition_but_that_of_keys(self, function: str) -> None:
        (reading,) = [
            each for each in statements(function) if "dynamodb:GetItem" in texts(each["Action"])
        ]

        assert reading["Condition"] == {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["K"]}
        }


class TestTable:
    def test_it_outlives_its_stack_and_cannot_be_deleted_by_accident(self) -> None:
        table = TEMPLATE.resources["Table"]

        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert properties("Table")["DeletionProtectionEnabled"] is True
        assert "TableName" not in properties("Table")

    def test_it_can_be_taken_back_to_any_moment_and_is_encrypted(self) -> None:
        backups = properties("Table")["PointInTimeRecoverySpecification"]

        assert backups == {"PointInTimeRecoveryEnabled": True}
        assert properties("Table")["SSESpecification"] == {"SSEEnabled": True}

    def test_it_costs_by_request_and_forgets_what_has_a_ttl(self) -> None:
        assert properties("Table")["BillingMode"] == "PAY_PER_REQUEST"
        assert time_to_live_attribute(TEMPLATE) == "ttl"


class TestFunctions:
    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_its_logs_are_kept_for_the_days_that_the_operator_says(self, function: str) -> None:
        logging = as_mapping(
            properties(TEMPLATE.functions[function].logical_id)["LoggingConfig"], where=""
        )
        group = properties(as_text(logging["LogGroup"], where=""))

        assert group["RetentionInDays"] == TEMPLATE.parameters["LogRetentionDays"]

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_its_errors_raise_an_alarm_that_reaches_the_topic(self, function: str) -> None:
        dimension = {"Name": "FunctionName", "Value": TEMPLATE.functions[function].logical_id}
        (alarm,) = [
            each
            for each in of_type("AWS::CloudWatch::Alarm").values()
            if each["Dimensions"] == [dimension] and each["MetricName"] == "Errors"
        ]

        assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:000000000000:ops"]

    def test_no_two_functions_share_a_log_group(self) -> None:
        groups = [
            as_mapping(each["LoggingConfig"], where="")["LogGroup"]
            for each in of_type("AWS::Serverless::Function").values()
        ]

        assert len(set(map(str, groups))) == len(FUNCTIONS)

    @pytest.mark.parametrize("function", FUNCTIONS)
    def test_a_request_outlives_its_deadline_and_ends_soon_after(self, function: str) -> None:
        timeout_s = TEMPLATE.functions[function].timeout_s

        expected = {"authorizer": 10, "notify": 60, "period_reset": 300, "verify": 900}
        expected |= {"live_access": 10, "top_up": 110, "reconcile": 900, "report": 900}
        assert timeout_s == expected.get(function, 15)

    def test_alarms_need_no_topic(self) -> None:
        without: Template = read_template()

        for logical_id, resource in without.resources.items():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                assert "AlarmActions" not in as_mapping(resource["Properties"], where=logical_id)

    def test_the_sweep_runs_every_quarter_of_an_hour_and_a_second_stack_may_have_its_own(
        self,
    ) -> None:
        schedules = {each.function: each.expression for each in TEMPLATE.schedules}
        events = as_mapping(properties("PeriodResetFunction")["Events"], where="")
        (event,) = events.values()
        members = as_mapping(as_mapping(event, where="")["Properties"], where="")

        assert schedules["period_reset"] == "rate(15 minutes)"
        assert members["OmitName"] is True

    def test_verify_runs_in_every_slot_that_accounts_are_in(self) -> None:
        (expression,) = [s.expression for s in TEMPLATE.schedules if s.function == "verify"]
        moment = datetime(2026, 11, 20, tzinfo=UTC)
        end = moment + timedelta(days=1)
        slots: list[Slot] = []
        while (moment := next_run_at(expression, after=moment)) < end:
            slots.append(slot_of(moment))

        assert len(slots) == len(set(slots)) == DUE_SHARDS * PARTS_OF_A_SHARD
        assert {slot.shard for slot in slots} == set(range(DUE_SHARDS))

    def test_the_alarms_on_verify_name_metrics_that_it_counts(self) -> None:
        dimension = {"Name": "function_name", "Value": "VerifyFunction"}
        alarms = [
            each
            for each in of_type("AWS::CloudWatch::Alarm").values()
            if each["Dimensions"] == [dimension]
        ]

        watched = {as_text(each["MetricName"], where=""): each for each in alarms}
        assert set(watched) == {"unexplained_credits", "findings", "accounts_left"}
        assert set(watched) <= set(METRICS)
        assert all(each["Namespace"] == NAMESPACE for each in alarms)
        assert watched["accounts_left"]["TreatMissingData"] == "breaching"

    def test_the_alarms_on_reconcile_name_metrics_that_it_counts(self) -> None:
        dimension = {"Name": "function_name", "Value": "ReconcileFunction"}
        alarms = [
            each
            for each in of_type("AWS::CloudWatch::Alarm").values()
            if each["Dimensions"] == [dimension]
        ]

        watched = {as_text(each["MetricName"], where="") for each in alarms}
        assert watched == {"payments_healed", "payments_differing"}
        assert watched <= set(reconciliation.METRICS)
        assert all(each["Namespace"] == NAMESPACE for each in alarms)

    def test_reconcile_runs_more_often_than_its_range_is_long(self) -> None:
        events = as_mapping(properties("ReconcileFunction")["Events"], where="")
        inputs: dict[str, object] = {}
        for each in events.values():
            members = as_mapping(as_mapping(each, where="")["Properties"], where="")
            if "ScheduleExpression" in members:
                expression = as_text(members["ScheduleExpression"], where="")
                inputs[expression] = json.loads(as_text(members["Input"], where=""))

        assert inputs == {
            "cron(25 * * * ? *)": {"hours": 3},
            "cron(50 3 * * ? *)": {"hours": 72, "looks_back": True},
        }

    def test_a_snapshot_is_only_taken_together_with_an_alias_that_follows_every_change(
        self,
    ) -> None:
        defaults = as_mapping(DOCUMENT["Globals"], where="Globals")
        everywhere = as_mapping(defaults["Function"], where="Globals.Function")
        for logical_id, own in of_type("AWS::Serverless::Function").items():
            function = {**everywhere, **own}
            named = {
                name
                for name in ("SnapStart", "AutoPublishAlias", "AutoPublishAliasAllProperties")
                if name in function
            }
            assert len(named) in (0, 3), logical_id
            assert function.get("AutoPublishAliasAllProperties", True) is True


class TestLayers:
    def test_the_build_makes_two_and_takes_catalog_and_web_as_they_are(self) -> None:
        built = {
            logical_id: "BuildMethod" in as_mapping(resource.get("Metadata"), where=logical_id)
            for logical_id, resource in TEMPLATE.resources.items()
            if resource["Type"] == "AWS::Serverless::LayerVersion"
        }

        assert built == {
            "DepsLayer": True,
            "CoreLayer": True,
            "CatalogLayer": False,
            "WebLayer": False,
        }

    @pytest.mark.parametrize("layer", ["DepsLayer", "CoreLayer", "CatalogLayer", "WebLayer"])
    def test_no_layer_has_a_python_folder_that_the_build_would_nest_twice(self, layer: str) -> None:
        source = TEMPLATE_PATH.parent / as_text(properties(layer)["ContentUri"], where=layer)

        assert source.is_dir()
        assert not (source / "python").exists()

    def test_the_dependency_layer_is_built_for_the_processor_it_runs_on(self) -> None:
        metadata = as_mapping(TEMPLATE.resources["DepsLayer"]["Metadata"], where="DepsLayer")

        assert metadata["BuildArchitecture"] == TEMPLATE.parameters["Architecture"]
        assert metadata["BuildMethod"] == TEMPLATE.parameters["PythonRuntime"]

    def test_every_dependency_is_pinned(self) -> None:
        text = (TEMPLATE_PATH.parent / "layers/deps/requirements.txt").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]

        assert lines
        assert all("==" in line for line in lines)


def test_the_stack_stands_under_its_seven_banners_in_order() -> None:
    lines = TEMPLATE_PATH.read_text(encoding="utf-8").splitlines()

    assert [line.lstrip("# =") for line in lines if line.startswith("# ====")] == [
        "parameters",
        "table",
        "layers",
        "api",
        "functions",
        "schedules",
        "alarms and outputs",
    ]


def test_the_outputs_name_the_api_the_table_the_bus_its_queue_and_every_function() -> None:
    outputs = as_mapping(DOCUMENT["Outputs"], where="Outputs")

    functions = {f"{function.logical_id}Name" for function in TEMPLATE.functions.values()}
    named = {"ApiUrl", "TableName", "EventBusName", "UnnotifiedQueueUrl", "UntoppedQueueUrl"}
    named |= {"LiveSocketUrl"}
    assert set(outputs) == {*named, "UnappliedQueueUrl", *functions}
