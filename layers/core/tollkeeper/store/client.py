"""The few DynamoDB operations there are, and how patiently they are called."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import botocore
import botocore.config
import botocore.exceptions
import botocore.loaders
import botocore.session

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 2
ATTEMPTS = 2
USER_AGENT = f"tollkeeper Botocore/{botocore.__version__}"
# What the account's own settings may ask for; some regions have such addresses by the rules alone.
ADDRESS_VARIANTS = ("use_fips_endpoint", "use_dualstack_endpoint")
WORST_CALL_S = (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) * ATTEMPTS


class DynamoClient(Protocol):
    """The seam below the store: boto3's own client, or a simulation of it.

    Shape: keyword arguments and answers are those of the low-level DynamoDB client.
    """

    def get_item(self, **request: Any) -> dict[str, Any]:
        """One item."""
        ...

    def query(self, **request: Any) -> dict[str, Any]:
        """One page of items."""
        ...

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """All writes, or none."""
        ...


@lru_cache(maxsize=1)
def _sdk_data() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


class _WithoutRules:
    """The SDK's data about AWS, without its rules of how to find DynamoDB.

    Why: the SDK follows these rules anew for every call, and searches each request for tables of
    other accounts. Without them it looks the region's address up once, which is the same one; that
    is a tenth of a charge's CPU.
    """

    def __init__(self, data: botocore.loaders.Loader) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        """The model, as the SDK asks for it. Raises: UnknownServiceError for the rules."""
        if (service_name, type_name) == ("dynamodb", "endpoint-rule-set-1"):
            raise botocore.exceptions.UnknownServiceError(
                service_name=service_name, known_service_names="none"
            )
        return self._data.load_service_model(service_name, type_name, api_version)


def new_session() -> botocore.session.Session:
    """A session of its own that reads the SDK's data about AWS once for the whole process.

    Why: reading it takes a client 65 ms of CPU, of which a function has a fraction.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", _sdk_data())
    return session


def connect(region: str | None = None) -> DynamoClient:
    """A client that gives up within the request's deadline and keeps 50 connections.

    Why: the SDK's own default waits 60 s; parameters come from `items` and need no second
    validation by the SDK. Its own user agent is put together anew twice for every call, which
    takes a tenth of a charge's CPU; a fixed one is only sent.
    """
    config = botocore.config.Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=50,
        parameter_validation=False,
        tcp_keepalive=True,
        user_agent=USER_AGENT,
    )
    session: Any = new_session()
    if not any(map(session.get_config_variable, ADDRESS_VARIANTS)):
        session.register_component("data_loader", _WithoutRules(_sdk_data()))
    client: Any = session.create_client("dynamodb", region_name=region, config=config)
    return client
