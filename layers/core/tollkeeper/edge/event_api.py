"""AppSync's event API: a text for a channel's listeners, signed as every call of AWS.

Why no SDK client: the SDK knows how to make an event API, and has no call to publish to one.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from tollkeeper.edge.observability import log_fact
from tollkeeper.edge.settings import read_settings
from tollkeeper.store.client import new_session

CONNECT_TIMEOUT_S = 0.5
READ_TIMEOUT_S = 1.0
AT_ONCE = 8


class EventApi:
    """Its way in, POST /event; `url` is the whole address. Thread-safe."""

    def __init__(self, url: str, session: botocore.session.Session) -> None:
        self._url = url
        self._session = session
        self._region = str(session.get_config_variable("region") or "us-east-1")
        patience: Any = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        self._http = URLLib3Session(timeout=patience, max_pool_connections=AT_ONCE)

    def publish(self, channel: str, text: str) -> bool:
        """The channel's listeners are sent the text; false where that was refused or is not known.

        Cost: one request, at most 1.5 s.
        """
        request = self.make_request(channel, text)
        try:
            # Read each time: the role's credentials change while the process lives.
            credentials = self._session.get_credentials()
            assert credentials is not None, "a function has a role"
            frozen = credentials.get_frozen_credentials()
            SigV4Auth(frozen, "appsync", self._region).add_auth(request)
            answer = self._http.send(request.prepare())
        except BotoCoreError as error:
            log_fact("event api did not answer", kind=type(error).__name__)
            return False
        if answer.status_code != 200 or _has_failed(answer.content):
            log_fact("event api refused", status=answer.status_code, said=answer.text[:300])
            return False
        return True

    def make_request(self, channel: str, text: str) -> AWSRequest:
        """The request as it is signed."""
        body = json.dumps({"channel": channel, "events": [text]}).encode()
        return AWSRequest(
            "POST", self._url, headers={"content-type": "application/json"}, data=body
        )


def _has_failed(content: bytes) -> bool:
    """Shape: {"failed": [...], "successful": [...]}."""
    try:
        members = json.loads(content)
        return bool(members["failed"])
    except (ValueError, KeyError, TypeError):
        return True


@lru_cache(maxsize=1)
def event_api() -> EventApi:
    """The event API of this stack."""
    url = read_settings().live_publish_url
    assert url, "LIVE_PUBLISH_URL is set for the function that publishes"
    return EventApi(url, new_session())
