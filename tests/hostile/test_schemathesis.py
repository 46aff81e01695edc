"""Requests made from docs/openapi.json: good and bad ones, on every route, through the gateway.

Each answer must be one that the document names; what the document forbids must be refused; and
what is refused, or only read, must leave the table as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from local.gateway import Gateway
from simulation.hostile.attacks import READERS
from simulation.hostile.target import Target
from tests.hostile.wsgi import Application
from tests.support.contract import closed_document

# For a longer run: HOSTILE_EXAMPLES=1000 pytest tests/hostile/test_schemathesis.py
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "40"))
CONFIG = {
    "generation": {"deterministic": True, "max-examples": EXAMPLES, "database": "none"},
    "checks": {
        # API Gateway answers an unknown method with 404.
        "unsupported_method": {"enabled": False},
        # What is well formed can still be refused: an unknown model, an account without credits.
        "positive_data_acceptance": {"enabled": False},
        "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 413, 422]},
        "missing_required_header": {"expected-statuses": [400, 401, 403, 422]},
    },
}
UNHURRIED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much)
APPLICATION = Application()
# Its own types say too little for a strict reader.
loader: Any = schemathesis.openapi
configuration: Any = SchemathesisConfig
schema = loader.from_dict(closed_document(), config=configuration.from_dict(CONFIG))
schema.app = APPLICATION


@pytest.fixture(autouse=True)
def answering(gateway: Gateway) -> Iterator[None]:
    """The application answers through this test's gateway."""
    APPLICATION.gateway = gateway
    yield
    APPLICATION.gateway = None


@schema.parametrize()
@settings(deadline=None, derandomize=True, database=None, suppress_health_check=UNHURRIED)
def test_every_answer_is_documented_and_no_refusal_writes(case: Any, target: Target) -> None:
    target.commits.clear()
    headers = {"Authorization": f"Bearer {target.key}"}

    answer = case.call(headers=headers)

    wrote = target.written()
    target.take_back()
    route = f"{case.operation.method.upper()} {case.operation.path}"
    if answer.status_code >= 300 or route.startswith("GET ") or route in READERS:
        assert not wrote, (answer.status_code, wrote)
    case.validate_response(answer, headers=headers)
    target.take_back()
