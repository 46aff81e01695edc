"""template.yaml: who asks whom to get in, and what a stack says about its users' auth provider."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from local.cloudformation import as_mapping, as_text, parse
from local.template import TEMPLATE_PATH, read_template
from tollkeeper.edge.oidc_policy import PRESETS
from tollkeeper.edge.routes import ROUTES
from tollkeeper.edge.settings import Settings

GIVEN = {
    "OidcPreset": "auth0",
    "OidcIssuer": "https://tenant.eu.auth0.com",
    "OidcAudience": "https://api.example",
    "OidcParties": "client_a,client_b",
    "OidcAccountClaim": "org_id",
    "OidcJwksUrl": "https://tenant.eu.auth0.com/keys",
}
VARIABLES = {name: "OIDC_" + re.sub("(?<!^)([A-Z])", r"_\1", name[4:]).upper() for name in GIVEN}
DECLARED = as_mapping(parse(TEMPLATE_PATH.read_text(encoding="utf-8"))["Parameters"], where="")


def environment(function: str, **parameters: str) -> dict[str, str]:
    return dict(read_template(parameters=parameters).functions[function].environment)


def asking() -> set[str]:
    """The functions that read an Authorization header themselves."""
    return {"authorizer"} | {route.function for route in ROUTES.values() if route.asks_itself}


@pytest.mark.parametrize("function", sorted(asking()))
def test_what_a_stack_says_of_its_provider_reaches_whoever_reads_tokens(function: str) -> None:
    given = environment(function, **GIVEN)

    assert {name: given[VARIABLES[name]] for name in GIVEN} == GIVEN


def test_every_setting_of_a_provider_is_a_parameter_of_the_stack() -> None:
    settings = {name.upper() for name in Settings.model_fields if name.startswith("oidc_")}

    assert set(VARIABLES.values()) == settings


def test_a_stack_of_which_nothing_was_said_believes_no_provider() -> None:
    given = environment("authorizer")

    assert {name: given[name] for name in VARIABLES.values() if given[name]} == {
        "OIDC_ACCOUNT_CLAIM": "sub"
    }


def test_the_presets_are_those_that_the_code_knows() -> None:
    allowed = as_mapping(DECLARED["OidcPreset"], where="")["AllowedValues"]

    assert set(cast("list[str]", allowed)) == {"", *PRESETS}


@pytest.mark.parametrize("parameter", ["OidcIssuer", "OidcJwksUrl"])
def test_an_address_that_is_not_https_is_refused_before_the_deploy(parameter: str) -> None:
    pattern = as_text(as_mapping(DECLARED[parameter], where="")["AllowedPattern"], where="")

    for good in ("", "https://a.example", "https://cognito-idp.eu-west-1.amazonaws.com/eu_x"):
        assert re.fullmatch(pattern, good), good
    for wrong in (
        "http://a.example",
        "a.example",
        "https://",
        "https://u@a.example",
        "https://a?b",
    ):
        assert not re.fullmatch(pattern, wrong), wrong


def test_the_authorizer_reads_keys_alone_and_one_secret() -> None:
    resource: Any = read_template().resources["AuthorizerFunction"]["Properties"]
    allowed = [each for policy in resource["Policies"] for each in policy["Statement"]]

    reads = next(each for each in allowed if "dynamodb:GetItem" in each["Action"])
    assert reads["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["K"]}}
    assert {action for each in allowed for action in each["Action"]} == {
        "dynamodb:GetItem",
        "ssm:GetParameter",
    }
