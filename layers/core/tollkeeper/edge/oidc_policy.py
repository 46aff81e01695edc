"""What a token of the app's auth provider must say, by the stack's settings.

Source: each provider's own documentation, named in docs/access.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from tollkeeper.domain.errors import TollkeeperError
from tollkeeper.edge.settings import Settings

JWKS_PATH = "/.well-known/jwks.json"
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Preset:
    """What is the same for every app of a provider.

    `issuer` and `audience` stand in where the stack names none; `party` is the claim of who the
    token was made for; `says` must be said, `unsaid` must not be.
    """

    algorithms: tuple[str, ...]
    issuer: str = ""
    audience: str = ""
    jwks_url: str = ""
    party: str = "azp"
    says: tuple[tuple[str, str], ...] = ()
    unsaid: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    issuer_end: str = ""


PRESETS = {
    "clerk": Preset(("RS256",), unsaid=(("sts", "pending"),), needs="OIDC_PARTIES"),
    "firebase": Preset(
        ("RS256",),
        issuer="https://securetoken.google.com/{audience}",
        jwks_url=(
            "https://www.googleapis.com/service_accounts/v1/jwk/"
            "securetoken@system.gserviceaccount.com"
        ),
        needs="OIDC_AUDIENCE",
    ),
    "supabase": Preset(("ES256", "RS256"), audience="authenticated"),
    "cognito": Preset(
        ("RS256",), party="client_id", says=(("token_use", "access"),), needs="OIDC_PARTIES"
    ),
    "auth0": Preset(("RS256",), issuer_end="/", needs="OIDC_AUDIENCE"),
    "custom": Preset(("RS256", "ES256")),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What a token must be: signed how, by whom, for whom, and whose account it names where."""

    issuer: str
    jwks_url: str
    algorithms: tuple[str, ...]
    audiences: tuple[str, ...]
    party_claim: str
    parties: tuple[str, ...]
    says: tuple[tuple[str, str], ...]
    unsaid: tuple[tuple[str, str], ...]
    account_claim: str


def make_policy(settings: Settings) -> Policy:
    """The policy of this stack.

    Raises: TollkeeperError where the settings do not make one; nobody gets in by a token then.
    """
    preset = PRESETS.get(settings.oidc_preset)
    if preset is None:
        raise TollkeeperError(f"OIDC_PRESET must be one of {', '.join(PRESETS)}, or empty.")
    audiences = _split(settings.oidc_audience or preset.audience)
    parties = _split(settings.oidc_parties)
    if not audiences and not parties:
        needed = preset.needs or "OIDC_AUDIENCE or OIDC_PARTIES"
        raise TollkeeperError(f"{needed} must say which tokens of the issuer are this app's.")
    if (preset.needs == "OIDC_PARTIES" and not parties) or (
        preset.needs == "OIDC_AUDIENCE" and not audiences
    ):
        raise TollkeeperError(f"{preset.needs} must be set for {settings.oidc_preset}.")
    given = settings.oidc_issuer or preset.issuer.format(audience=next(iter(audiences), ""))
    issuer = given.rstrip("/")
    jwks_url = settings.oidc_jwks_url or preset.jwks_url or issuer + JWKS_PATH
    for name, url in (("OIDC_ISSUER", issuer), ("OIDC_JWKS_URL", jwks_url)):
        require_safe(url, name, may_be_loopback=settings.stage == "local")
    return Policy(
        issuer=given if settings.oidc_preset == "custom" else issuer + preset.issuer_end,
        jwks_url=jwks_url,
        algorithms=preset.algorithms,
        audiences=audiences,
        party_claim=preset.party,
        parties=parties,
        says=preset.says,
        unsaid=preset.unsaid,
        account_claim=settings.oidc_account_claim or "sub",
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def require_safe(url: str, name: str, *, may_be_loopback: bool) -> None:
    """Nothing, where the URL is https, or on one machine this machine's own.

    Raises: TollkeeperError.
    """
    try:
        parts = urlsplit(url)
        host, has_user = parts.hostname or "", "@" in parts.netloc
    except ValueError:
        raise TollkeeperError(f"{name} is not a URL.") from None
    is_here = may_be_loopback and parts.scheme == "http" and host in LOOPBACK
    is_plain = not has_user and not parts.query and not parts.fragment
    if not host or not is_plain or not (parts.scheme == "https" or is_here):
        raise TollkeeperError(f"{name} must be an https URL without a name, query or fragment.")
