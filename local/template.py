"""template.yaml as typed values: what the one-machine runtime and the tests need of the stack.

The gateway, the schedules and the tests read the stack's own template instead of a second list,
so what runs locally is what deploys, and a table in a test is the table that AWS makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, cast

from local.cloudformation import (
    Node,
    Resolver,
    TemplateError,
    as_list,
    as_mapping,
    as_text,
    as_whole,
    parameter_values,
    parse,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef

TEMPLATE_PATH = Path(__file__).resolve().parent.parent / "template.yaml"
TABLE_RESOURCE = "Table"

_FUNCTION_TYPE = "AWS::Serverless::Function"
_API_TYPE = "AWS::Serverless::HttpApi"


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda function.

    Shape: `name` is the folder under functions/ ("check"), the word that routes, authorizers and
    schedules use for it; `logical_id` is its name in the template ("CheckFunction").
    """

    name: str
    logical_id: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route of the HTTP API; `authorizer` is None only where NONE is written out.

    Shape: `route_key` as API Gateway writes it ("POST /v1/check"); `function` is its folder.
    """

    route_key: str
    method: str
    path: str
    function: str
    authorizer: str | None


@dataclass(frozen=True, kw_only=True)
class Authorizer:
    """One Lambda authorizer of the HTTP API.

    Shape: `identity_sources` as API Gateway writes them ("$request.header.Authorization").
    """

    name: str
    function: str
    ttl_s: int
    identity_sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One EventBridge schedule; `event` is what the function receives, whole.

    Without an Input of its own it is None: then the scheduler sends an event that says which it is.
    """

    name: str
    function: str
    expression: str
    event: Mapping[str, object] | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the stack's event bus; `pattern` is what an event must have to reach it."""

    name: str
    function: str
    pattern: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Cors:
    """The API's CORS answers; empty tuples where the template says nothing."""

    allow_origins: tuple[str, ...]
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    max_age_s: int


@dataclass(frozen=True, kw_only=True)
class Template:
    """The whole stack, resolved with parameter values.

    Shape: `functions` by folder name, `authorizers` by name; `parameters` are the values used;
    `resources` is the Resources section with every intrinsic resolved, for what has no type here.
    """

    parameters: Mapping[str, Node]
    resources: Mapping[str, dict[str, Node]]
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    authorizers: Mapping[str, Authorizer]
    schedules: tuple[Schedule, ...]
    rules: tuple[Rule, ...]
    cors: Cors


def read_template(
    path: Path = TEMPLATE_PATH,
    *,
    parameters: Mapping[str, str] | None = None,
    references: Mapping[str, str] | None = None,
) -> Template:
    """The stack of a template file stands as values, its parameters at defaults or as given.

    Shape: `references` says what `Ref` of a resource answers, `{"Table": "my-table"}` puts that
    name into each function's TABLE_NAME; without it a resource answers its logical id.
    Raises: TemplateError with the place in the template that cannot be followed.
    """
    document = parse(path.read_text(encoding="utf-8"))
    values = parameter_values(document, parameters or {})
    resolver = Resolver(
        parameters=values,
        conditions=as_mapping(document.get("Conditions"), where="Conditions"),
        references=references or {},
    )
    resources = _resolved_resources(document, resolver)
    defaults = as_mapping(resolver.resolve(document.get("Globals")), where="Globals")
    function_defaults = as_mapping(defaults.get("Function"), where="Globals.Function")
    function_nodes = {
        logical_id: _merged(function_defaults, _properties(logical_id, resource))
        for logical_id, resource in resources.items()
        if resource.get("Type") == _FUNCTION_TYPE
    }
    functions = [_function(logical_id, node) for logical_id, node in function_nodes.items()]
    names = {function.logical_id: function.name for function in functions}
    api = _api_properties(resources)
    return Template(
        parameters=values,
        resources=resources,
        functions={function.name: function for function in functions},
        routes=_routes(function_nodes, names, api),
        authorizers=_authorizers(api, names),
        schedules=_schedules(function_nodes, names),
        rules=_rules(function_nodes, names),
        cors=_cors(api),
    )


def table_definition(template: Template, *, name: str) -> CreateTableInputTypeDef:
    """What `create_table` of a boto3 client or resource takes to make the stack's table.

    Shape: keys, attributes, indexes and billing; what DynamoDB itself does not take at creation
    (TTL, point-in-time recovery) or a local engine need not know (protection, encryption) is
    left out. `time_to_live_attribute` gives the TTL attribute.
    """
    properties = _properties(TABLE_RESOURCE, template.resources.get(TABLE_RESOURCE, {}))
    taken = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    definition: dict[str, Any] = {key: properties[key] for key in taken if key in properties}
    return cast("CreateTableInputTypeDef", {"TableName": name, **definition})


def time_to_live_attribute(template: Template) -> str:
    """The attribute after which DynamoDB deletes items of the stack's table."""
    properties = _properties(TABLE_RESOURCE, template.resources.get(TABLE_RESOURCE, {}))
    where = f"{TABLE_RESOURCE}.TimeToLiveSpecification"
    specification = as_mapping(properties.get("TimeToLiveSpecification"), where=where)
    return as_text(specification.get("AttributeName"), where=where)


def _resolved_resources(
    document: Mapping[str, Node], resolver: Resolver
) -> dict[str, dict[str, Node]]:
    resources: dict[str, dict[str, Node]] = {}
    for logical_id, node in as_mapping(document.get("Resources"), where="Resources").items():
        where = f"Resources.{logical_id}"
        resource = as_mapping(node, where=where)
        condition = resource.get("Condition")
        if condition is None or resolver.holds({"Condition": condition}):
            resources[logical_id] = as_mapping(resolver.resolve(resource), where=where)
    return resources


def _properties(logical_id: str, resource: Mapping[str, Node]) -> dict[str, Node]:
    if not resource:
        raise TemplateError(f"Resources: there is no {logical_id}")
    return as_mapping(resource.get("Properties"), where=f"{logical_id}.Properties")


def _merged(defaults: dict[str, Node], own: dict[str, Node]) -> dict[str, Node]:
    """Globals and a function's own properties stand together: mappings and lists add up."""
    merged = dict(defaults)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        elif isinstance(below, list) and isinstance(value, list):
            merged[key] = [*below, *value]
        else:
            merged[key] = value
    return merged


def _function(logical_id: str, node: dict[str, Node]) -> Function:
    environment = as_mapping(node.get("Environment"), where=f"{logical_id}.Environment")
    variables = as_mapping(environment.get("Variables"), where=f"{logical_id}.Environment")
    code = PurePosixPath(as_text(node.get("CodeUri"), where=f"{logical_id}.CodeUri"))
    return Function(
        name=code.name,
        logical_id=logical_id,
        handler=as_text(node.get("Handler"), where=f"{logical_id}.Handler"),
        timeout_s=as_whole(node.get("Timeout"), where=f"{logical_id}.Timeout"),
        memory_mb=as_whole(node.get("MemorySize"), where=f"{logical_id}.MemorySize"),
        environment={
            key: as_text(value, where=f"{logical_id}.Environment.{key}")
            for key, value in variables.items()
        },
    )


def _api_properties(resources: Mapping[str, dict[str, Node]]) -> dict[str, Node]:
    apis = {key: node for key, node in resources.items() if node.get("Type") == _API_TYPE}
    if len(apis) != 1:
        raise TemplateError(f"Resources: one {_API_TYPE} is needed, found {len(apis)}")
    logical_id, resource = next(iter(apis.items()))
    return _properties(logical_id, resource)


def _events(
    function_nodes: Mapping[str, dict[str, Node]],
    kind: Literal["HttpApi", "ScheduleV2", "EventBridgeRule"],
) -> list[tuple[str, str, dict[str, Node]]]:
    """Every event of one kind: the function's logical id, the event's name, its properties."""
    found: list[tuple[str, str, dict[str, Node]]] = []
    for logical_id, node in function_nodes.items():
        for name, event in as_mapping(node.get("Events"), where=f"{logical_id}.Events").items():
            where = f"{logical_id}.Events.{name}"
            members = as_mapping(event, where=where)
            if members.get("Type") == kind:
                found.append((logical_id, name, as_mapping(members["Properties"], where=where)))
    return found


def _routes(
    function_nodes: Mapping[str, dict[str, Node]],
    names: Mapping[str, str],
    api: dict[str, Node],
) -> tuple[Route, ...]:
    api_auth = as_mapping(api.get("Auth"), where="Api.Auth")
    default = as_text(api_auth.get("DefaultAuthorizer", "NONE"), where="Api.Auth")
    routes: list[Route] = []
    for logical_id, name, event in _events(function_nodes, "HttpApi"):
        where = f"{logical_id}.Events.{name}"
        method = as_text(event.get("Method"), where=where).upper()
        path = as_text(event.get("Path"), where=where)
        auth = as_mapping(event.get("Auth"), where=where)
        authorizer = as_text(auth.get("Authorizer", default), where=where)
        routes.append(
            Route(
                route_key=f"{method} {path}",
                method=method,
                path=path,
                function=names[logical_id],
                authorizer=None if authorizer == "NONE" else authorizer,
            )
        )
    return tuple(routes)


def _authorizers(api: dict[str, Node], names: Mapping[str, str]) -> dict[str, Authorizer]:
    where = "Api.Auth.Authorizers"
    auth = as_mapping(api.get("Auth"), where="Api.Auth")
    authorizers: dict[str, Authorizer] = {}
    for name, node in as_mapping(auth.get("Authorizers"), where=where).items():
        members = as_mapping(node, where=f"{where}.{name}")
        identity = as_mapping(members.get("Identity"), where=f"{where}.{name}.Identity")
        arn = as_text(members.get("FunctionArn"), where=f"{where}.{name}.FunctionArn")
        authorizers[name] = Authorizer(
            name=name,
            function=names[arn.removesuffix(".Arn")],
            ttl_s=as_whole(identity.get("ReauthorizeEvery", 0), where=f"{where}.{name}"),
            identity_sources=(
                *(f"$request.header.{text}" for text in _texts(identity.get("Headers"))),
                *(f"$request.querystring.{text}" for text in _texts(identity.get("QueryStrings"))),
                *(f"$context.{text}" for text in _texts(identity.get("Context"))),
                *(f"$stageVariables.{text}" for text in _texts(identity.get("StageVariables"))),
            ),
        )
    return authorizers


def _schedules(
    function_nodes: Mapping[str, dict[str, Node]], names: Mapping[str, str]
) -> tuple[Schedule, ...]:
    schedules: list[Schedule] = []
    for logical_id, name, event in _events(function_nodes, "ScheduleV2"):
        where = f"{logical_id}.Events.{name}"
        text = as_text(event.get("Input", "null"), where=f"{where}.Input")
        schedules.append(
            Schedule(
                name=name,
                function=names[logical_id],
                expression=as_text(event.get("ScheduleExpression"), where=where),
                event=cast("dict[str, object] | None", json.loads(text)),
            )
        )
    return tuple(schedules)


def _rules(
    function_nodes: Mapping[str, dict[str, Node]], names: Mapping[str, str]
) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for logical_id, name, event in _events(function_nodes, "EventBridgeRule"):
        pattern = as_mapping(event.get("Pattern"), where=f"{logical_id}.Events.{name}.Pattern")
        rules.append(Rule(name=name, function=names[logical_id], pattern=pattern))
    return tuple(rules)


def _cors(api: dict[str, Node]) -> Cors:
    node = as_mapping(api.get("CorsConfiguration"), where="Api.CorsConfiguration")
    return Cors(
        allow_origins=_texts(node.get("AllowOrigins")),
        allow_methods=_texts(node.get("AllowMethods")),
        allow_headers=_texts(node.get("AllowHeaders")),
        expose_headers=_texts(node.get("ExposeHeaders")),
        max_age_s=as_whole(node.get("MaxAge", 0), where="Api.CorsConfiguration.MaxAge"),
    )


def _texts(node: Node) -> tuple[str, ...]:
    return tuple(as_text(item, where="a list of texts") for item in as_list(node, where="list"))
