"""The address that our client calls is the one that the SDK would find by its own rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tollkeeper.store.client import connect, new_session


class Nothing:
    """The body of an answer without an item."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """All of it at once."""
        yield b"{}"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, and nothing of the machine's own settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)


def called(client: Any) -> tuple[str, str]:
    """Where a call goes, and the scope that it is signed for."""
    seen: list[tuple[str, str]] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        signed = request.headers["Authorization"]
        scope = str(signed, "ascii") if isinstance(signed, bytes) else str(signed)
        body: Any = Nothing()
        headers: Any = {}
        seen.append((request.url, scope.partition(",")[0]))
        return AWSResponse(request.url, 200, headers, body)

    client.meta.events.register("before-send.dynamodb", answer)
    client.get_item(TableName="t", Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
    return seen[0]


@pytest.mark.parametrize("variant", ["", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"])
def test_every_region_is_called_at_the_address_of_the_rules(
    region: str, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variant:
        monkeypatch.setenv(variant, "true")

    ruled: Any = botocore.session.get_session().create_client("dynamodb", region_name=region)

    assert called(connect(region)) == called(ruled)


def test_an_address_of_ones_own_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")

    assert called(connect("eu-west-1"))[0] == "http://127.0.0.1:9/"


def test_what_is_left_out_are_the_rules_of_one_service_in_one_client() -> None:
    """Why: whoever else makes a client of the same session data has the SDK as it is."""
    ours: Any = connect("eu-west-1")
    others: Any = new_session().create_client("dynamodb", region_name="eu-west-1")
    bus: Any = new_session().create_client("events", region_name="eu-west-1")

    assert ours._ruleset_resolver is None
    assert others._ruleset_resolver is not None
    assert bus._ruleset_resolver is not None
