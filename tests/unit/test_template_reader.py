"""The reader of template.yaml: tags, intrinsics, SAM's defaults and what each event becomes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from local.cloudformation import Resolver, TemplateError, parse
from local.template import (
    Authorizer,
    Cors,
    Route,
    Schedule,
    read_template,
    table_definition,
    time_to_live_attribute,
)

SMALL = """
    Transform: AWS::Serverless-2016-10-31
    Parameters:
      Stage: {Type: String, Default: dev}
      Origins: {Type: CommaDelimitedList, Default: "https://a.example, https://b.example"}
      Topic: {Type: String, Default: ""}
    Conditions:
      HasTopic: !Not [!Equals [!Ref Topic, ""]]
    Globals:
      Function:
        Handler: handler.handler
        Timeout: 15
        MemorySize: 512
        Environment:
          Variables:
            TABLE_NAME: !Ref Table
            STAGE: !Ref Stage
    Resources:
      Table:
        Type: AWS::DynamoDB::Table
        Properties:
          BillingMode: PAY_PER_REQUEST
          DeletionProtectionEnabled: true
          AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
          KeySchema: [{AttributeName: pk, KeyType: HASH}]
          TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      Api:
        Type: AWS::Serverless::HttpApi
        Properties:
          CorsConfiguration: {AllowOrigins: !Ref Origins, MaxAge: 60}
          Auth:
            DefaultAuthorizer: Keys
            Authorizers:
              Keys:
                FunctionArn: !GetAtt GuardFunction.Arn
                Identity: {Headers: [Authorization], Context: [routeKey], ReauthorizeEvery: 60}
      GuardFunction:
        Type: AWS::Serverless::Function
        Properties: {CodeUri: functions/guard/, Timeout: 10}
      SweepFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: functions/sweep/
          Environment: {Variables: {ORIGINS: !Join [",", !Ref Origins], PATH_: !Sub "/${Stage}/x"}}
          Events:
            Look: {Type: HttpApi, Properties: {Method: get, Path: "/v1/look/{id}"}}
            Open: {Type: HttpApi, Properties: {Method: GET, Path: /o, Auth: {Authorizer: NONE}}}
            Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute),
                                                  Input: '{"shards": [1]}'}}
      Alarm:
        Type: AWS::CloudWatch::Alarm
        Condition: HasTopic
        Properties: {AlarmActions: [!If [HasTopic, !Ref Topic, !Ref AWS::NoValue]]}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(dedent(SMALL), encoding="utf-8")
    return path


def test_functions_take_what_globals_says_and_add_their_own(small: Path) -> None:
    functions = read_template(small).functions

    assert set(functions) == {"guard", "sweep"}
    assert (functions["guard"].timeout_s, functions["sweep"].timeout_s) == (10, 15)
    assert functions["sweep"].memory_mb == 512
    assert functions["sweep"].handler == "handler.handler"
    assert functions["sweep"].environment == {
        "TABLE_NAME": "Table",
        "STAGE": "dev",
        "ORIGINS": "https://a.example,https://b.example",
        "PATH_": "/dev/x",
    }


def test_given_parameters_and_references_replace_defaults(small: Path) -> None:
    template = read_template(
        small, parameters={"Stage": "prod", "Topic": "arn"}, references={"Table": "ledger-1"}
    )

    assert template.parameters["Stage"] == "prod"
    assert template.functions["guard"].environment == {"TABLE_NAME": "ledger-1", "STAGE": "prod"}
    assert template.resources["Alarm"]["Properties"] == {"AlarmActions": ["arn"]}


def test_a_resource_whose_condition_is_false_is_not_there(small: Path) -> None:
    assert "Alarm" not in read_template(small).resources


def test_a_route_has_the_default_authorizer_unless_none_is_written_out(small: Path) -> None:
    routes = read_template(small).routes

    assert routes == (
        Route(
            route_key="GET /v1/look/{id}",
            method="GET",
            path="/v1/look/{id}",
            function="sweep",
            authorizer="Keys",
        ),
        Route(route_key="GET /o", method="GET", path="/o", function="sweep", authorizer=None),
    )


def test_an_authorizer_names_its_function_and_identity_sources(small: Path) -> None:
    assert read_template(small).authorizers == {
        "Keys": Authorizer(
            name="Keys",
            function="guard",
            ttl_s=60,
            identity_sources=("$request.header.Authorization", "$context.routeKey"),
        )
    }


def test_a_schedule_carries_its_event(small: Path) -> None:
    assert read_template(small).schedules == (
        Schedule(name="Tick", function="sweep", expression="rate(1 minute)", event={"shards": [1]}),
    )


def test_cors_lists_are_empty_where_the_template_says_nothing(small: Path) -> None:
    assert read_template(small).cors == Cors(
        allow_origins=("https://a.example", "https://b.example"),
        allow_methods=(),
        allow_headers=(),
        expose_headers=(),
        max_age_s=60,
    )


def test_the_table_definition_is_what_create_table_takes(small: Path) -> None:
    template = read_template(small)

    assert table_definition(template, name="ledger-1") == {
        "TableName": "ledger-1",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
    assert time_to_live_attribute(template) == "ttl"


def test_an_undeclared_parameter_is_refused_by_name(small: Path) -> None:
    with pytest.raises(TemplateError, match="does not declare Stagge"):
        read_template(small, parameters={"Stagge": "prod"})


def test_a_parameter_without_value_and_default_is_refused(small: Path) -> None:
    small.write_text("Parameters: {Must: {Type: String}}", encoding="utf-8")

    with pytest.raises(TemplateError, match=r"Parameters\.Must: no value given and no default"):
        read_template(small)


def test_an_intrinsic_that_the_reader_does_not_know_is_refused() -> None:
    document = parse("A: !Cidr [10.0.0.0/8, 1, 8]")

    with pytest.raises(TemplateError, match="Fn::Cidr"):
        Resolver(parameters={}).resolve(document["A"])


def test_a_document_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(TemplateError, match="not a mapping"):
        parse("- a list")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Sub '${!Literal}-${AWS::Region}'", "${Literal}-us-east-1"),
        ("!Sub ['${A}-${Name}', {A: !Ref Name}]", "toll-toll"),
        ("!Sub '${Table.Arn}/index/due'", "Table.Arn/index/due"),
        ("!GetAtt Table.Arn", "Table.Arn"),
        ("!Join ['-', [a, !Ref Name]]", "a-toll"),
        ("!Split [o, !Ref Name]", ["t", "ll"]),
        ("!If [IsToll, a, b]", "a"),
        ("!If [IsNot, a, b]", "b"),
        ("!If [Both, a, b]", "b"),
        ("!If [Either, a, b]", "a"),
        ("[1, !Ref AWS::NoValue, 2]", [1, 2]),
        ("{a: !Ref AWS::NoValue, b: true}", {"b": True}),
    ],
)
def test_intrinsics_resolve_as_cloudformation_does(text: str, expected: object) -> None:
    conditions = parse(
        "IsToll: !Equals [!Ref Name, toll]\n"
        "IsNot: !Not [!Condition IsToll]\n"
        "Both: !And [!Condition IsToll, !Condition IsNot]\n"
        "Either: !Or [!Condition IsNot, !Condition IsToll]\n"
    )
    resolver = Resolver(parameters={"Name": "toll"}, conditions=conditions)

    assert resolver.resolve(parse(f"A: {text}")["A"]) == expected
