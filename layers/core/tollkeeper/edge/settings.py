"""The environment, read once: nothing else in the functions looks at it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """What the template tells a function.

    `secrets_prefix` is empty where secrets come from the environment (on one machine), and the
    two addresses of live updates where the stack has none.
    """

    model_config = ConfigDict(frozen=True)

    table_name: str
    catalog_path: Path = Path("/opt/catalog.toml")
    stage: Literal["dev", "prod", "local"] = "dev"
    secrets_prefix: str = ""
    return_urls: str = ""
    stripe_api_url: str = ""
    event_bus_name: str = ""
    user_limits: Literal["on", "off"] = "on"
    oidc_preset: str = ""
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_parties: str = ""
    oidc_account_claim: str = "sub"
    oidc_jwks_url: str = ""
    live_socket_url: str = ""
    live_publish_url: str = ""

    @property
    def key_prefix(self) -> str:
        """How the stage's keys begin."""
        return {"prod": "tk_live", "dev": "tk_test", "local": "tk_dev"}[self.stage]

    @property
    def is_live(self) -> bool:
        """Payments of this stage are real money."""
        return self.stage == "prod"

    @property
    def stripe_api(self) -> str:
        """Where Stripe's API is, "" for its own: only one machine may say another place."""
        return self.stripe_api_url if self.stage == "local" else ""

    @property
    def return_origins(self) -> tuple[str, ...]:
        """The origins that a checkout may send its customer back to."""
        return tuple(url.strip().rstrip("/") for url in self.return_urls.split(",") if url.strip())


@lru_cache(maxsize=1)
def read_settings() -> Settings:
    """The settings of this process. Raises: pydantic.ValidationError naming what is missing."""
    given = {
        name: os.environ[name.upper()]
        for name in Settings.model_fields
        if name.upper() in os.environ
    }
    return Settings.model_validate(given)


def read_environment_secret(name: str) -> str:
    """The secret of that name from the environment, or an empty text."""
    return os.environ.get(name, "")
