"""Every environment variable the product reads, typed, with its default; all faults are reported at once."""

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from oauth_provider.rates import rates_with
from oauth_provider.webhooks.identity.signature import secret_bytes
from proxy.catalogue.addresses import parse_upstream_url

CHATGPT_ORIGINS = ("https://chat.openai.com", "https://chatgpt.com")
DATABASE_SCHEMES = ("postgresql", "postgres", "sqlite")
SERVICE_URL = "_SERVICE_URL"

CommaList = Annotated[list[str], NoDecode]


def _service_url(value: str, info: ValidationInfo) -> str:
    # The rules of the admin's form: a backend set by the environment is no exception
    own = info.data.get("PUBLIC_BASE_URL") or _origin(info.data.get("HOST", ""), info.data.get("PORT", 0))
    parse_upstream_url(value, own_origin=own)
    return value


ServiceUrl = Annotated[str, AfterValidator(_service_url)]


class Environment(BaseSettings):
    """The process environment, validated before anything starts.

    Raises:
        EnvironmentFault: from `read_environment`, naming every missing or malformed variable.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", case_sensitive=True)

    HOST: str = "127.0.0.1"
    PORT: int = Field(default=8000, ge=1, le=65534)
    DATA_DIR: Path = Path("var")
    DEBUG: bool = False
    DEMO: bool = False
    PUBLIC_BASE_URL: str = ""
    SECRET_KEY: str = Field(default="", validate_default=True)
    DATABASE_URL: str = ""
    AUDIT_DATABASE_URL: str = ""
    WEB_CONCURRENCY: int = Field(default=1, ge=1, le=64)
    REDIS_URL: str | None = Field(default=None, validate_default=True)
    ALLOWED_HOSTS: CommaList = []
    TRUSTED_PROXY_COUNT: int = Field(default=0, ge=0, le=10)
    CORS_ORIGIN: CommaList = []
    OAUTH_CLIENT_ID: str | None = None
    OAUTH_CLIENT_SECRET: str | None = Field(default=None, validate_default=True)
    OAUTH_REDIRECT_URIS: CommaList = []
    OAUTH_ALIAS_PREFIXES: CommaList = ["/api/v1/gpt/oauth"]
    GATEWAY_API_KEY: str | None = Field(default=None, min_length=16)
    SERVICE_URLS: dict[str, ServiceUrl] = {}
    INTERNAL_SERVICE_KEY: str | None = None
    RATE_LIMIT_WINDOW_MS: int = Field(default=60_000, ge=1000)
    RATE_LIMIT_MAX: int = Field(default=300, ge=1)
    BACKEND_CHECK_S: int = Field(default=0, ge=0, le=86_400)
    METRICS_TOKEN: str | None = Field(default=None, min_length=16, pattern=r"^[!-~]+$")
    OTEL_EXPORTER_OTLP_ENDPOINT: str = ""
    OTEL_EXPORTER_OTLP_HEADERS: CommaList = []
    OTEL_SERVICE_NAME: str = Field(default="gatehouse", pattern=r"^[ -~]{1,100}$")
    OTEL_TRACES_SAMPLER_ARG: float = Field(default=1.0, ge=0, le=1)
    AUDIT_SPOOL_DIR: Path | None = None
    AUDIT_KEY_FILE: Path | None = None
    SIGNING_KEY_FILE: Path | None = None
    ENCRYPTION_KEYS: CommaList = Field(default=[], validate_default=True)
    OAUTH_RATES: CommaList = []
    SIGN_IN_ISSUER: str = ""
    SIGN_IN_CLIENT_ID: str = Field(default="", max_length=191, validate_default=True)
    SIGN_IN_CLIENT_SECRET: str = Field(default="", max_length=191, validate_default=True)
    SIGN_IN_NAME: str = Field(default="", max_length=40)
    SIGN_IN_EXTERNAL_ID_CLAIM: str = Field(default="sub", pattern=r"^[!-~]{1,100}$")
    SIGN_IN_PASSWORDS: bool = True
    IDENTITY_WEBHOOK_SECRETS: CommaList = []
    OPENAI_APPS_CHALLENGE: str = Field(default="", max_length=500, pattern=r"^[!-~]*$")
    AUTH0_DOMAIN: str = ""
    AUTH0_MGMT_CLIENT_ID: str = Field(default="", validate_default=True)
    AUTH0_MGMT_CLIENT_SECRET: str = Field(default="", validate_default=True)
    AUTH0_LOG_WEBHOOK_SECRET: str = Field(default="", validate_default=True)
    AUTH0_CONNECTION_ID: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    AUTH0_AUDIENCE: str = ""
    AUTH0_SCOPES: CommaList = []
    AUTH0_REDIRECT_HOSTS: CommaList = ["chatgpt.com", "chat.openai.com", "claude.ai", "claude.com"]

    @field_validator(
        "ALLOWED_HOSTS",
        "CORS_ORIGIN",
        "OAUTH_REDIRECT_URIS",
        "OAUTH_ALIAS_PREFIXES",
        "ENCRYPTION_KEYS",
        "OAUTH_RATES",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "IDENTITY_WEBHOOK_SECRETS",
        "AUTH0_SCOPES",
        "AUTH0_REDIRECT_HOSTS",
        mode="before",
    )
    @classmethod
    def split_commas(cls, value: object) -> object:
        """A list is written with commas; blanks around them do not count."""
        if isinstance(value, str):
            return [item.strip() for item in value.split(",") if item.strip()]
        return value

    @field_validator("PUBLIC_BASE_URL")
    @classmethod
    def bare_origin(cls, value: str) -> str:
        """The issuer is compared byte for byte by clients (RFC 8414 section 2), so only one spelling is taken."""
        if value and not _is_origin(value):
            raise ValueError("must be a bare origin without trailing slash, such as https://gateway.example.com")
        return value

    @field_validator("CORS_ORIGIN")
    @classmethod
    def origins(cls, value: list[str]) -> list[str]:
        """Exact origins only: a wildcard would let any site read what a token can read."""
        for origin in value:
            if not _is_origin(origin):
                raise ValueError(f"{origin!r} must be an origin such as https://app.example.com")
        return value

    @field_validator("DATABASE_URL", "AUDIT_DATABASE_URL")
    @classmethod
    def database(cls, value: str) -> str:
        """PostgreSQL in production, SQLite on one machine."""
        if value and urlsplit(value).scheme not in DATABASE_SCHEMES:
            raise ValueError("must look like postgresql://user:password@host:5432/name or sqlite:////path/to/file")
        return value

    @field_validator("AUDIT_DATABASE_URL")
    @classmethod
    def same_database(cls, value: str, info: ValidationInfo) -> str:
        """An event and the change it tells of are one transaction: the ledger may have a role of its own, no more."""
        if value and _place(value) != _place(info.data.get("DATABASE_URL", "")):
            raise ValueError("must name the database of DATABASE_URL; only the role and its password may differ")
        return value

    @field_validator("REDIS_URL")
    @classmethod
    def redis(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Plain or TLS; without it every worker would count and remember for itself."""
        if value is None and info.data.get("WEB_CONCURRENCY", 1) > 1:
            raise ValueError("required when WEB_CONCURRENCY is more than 1, such as redis://host:6379/0")
        if value is not None and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must look like redis://host:6379/0")
        return value

    @field_validator("OAUTH_CLIENT_SECRET")
    @classmethod
    def both_or_none(cls, value: str | None, info: ValidationInfo) -> str | None:
        """A client has an id and a secret."""
        if bool(value) != bool(info.data.get("OAUTH_CLIENT_ID")):
            raise ValueError("set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET both, or none of them")
        return value

    @field_validator("OAUTH_ALIAS_PREFIXES")
    @classmethod
    def prefixes(cls, value: list[str]) -> list[str]:
        """Aliases are paths of this server."""
        for prefix in value:
            if not re.fullmatch(r"(/[a-z0-9_-]+)+", prefix):
                raise ValueError(f"{prefix!r} must be a path such as /api/v1/gpt/oauth")
        return value

    @field_validator("OAUTH_RATES")
    @classmethod
    def rates(cls, value: list[str]) -> list[str]:
        """Changes to the authorization server's rates."""
        rates_with(value)
        return value

    @field_validator("OTEL_EXPORTER_OTLP_ENDPOINT")
    @classmethod
    def collector(cls, value: str) -> str:
        """Where traces go; /v1/traces is added (OTLP specification, OTLP/HTTP request)."""
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("must be the base URL of a collector, such as http://collector:4318")
        return value

    @field_validator("OTEL_EXPORTER_OTLP_HEADERS")
    @classmethod
    def collector_headers(cls, value: list[str]) -> list[str]:
        """What the collector asks for."""
        for pair in value:
            if not re.fullmatch(r"[A-Za-z0-9_-]+=[!-~]+", pair):
                raise ValueError("must look like name=value,name=value")
        return value

    @field_validator("SIGN_IN_ISSUER")
    @classmethod
    def identity_provider(cls, value: str) -> str:
        """Compared byte for byte with the provider's own word (OpenID Connect Discovery section 4.3)."""
        if value and not _is_issuer(value):
            raise ValueError(
                "must be the provider's issuer, such as https://login.example.com, as its metadata says it"
            )
        return value

    @field_validator("SIGN_IN_CLIENT_ID", "SIGN_IN_CLIENT_SECRET")
    @classmethod
    def all_or_none(cls, value: str, info: ValidationInfo) -> str:
        """The provider knows this gateway by an id and a secret."""
        if bool(value) != bool(info.data.get("SIGN_IN_ISSUER", value)):
            raise ValueError("set SIGN_IN_ISSUER, SIGN_IN_CLIENT_ID and SIGN_IN_CLIENT_SECRET all, or none of them")
        return value

    @field_validator("SIGN_IN_PASSWORDS")
    @classmethod
    def some_way_in(cls, value: bool, info: ValidationInfo) -> bool:
        """Somebody must be able to sign in."""
        if not value and not info.data.get("SIGN_IN_ISSUER", "malformed"):
            raise ValueError("may be false only together with SIGN_IN_ISSUER: nobody could sign in")
        return value

    @field_validator("IDENTITY_WEBHOOK_SECRETS")
    @classmethod
    def webhook_secrets(cls, value: list[str]) -> list[str]:
        """As the provider shows them; several while one takes the place of another."""
        for secret in value:
            try:
                secret_bytes(secret)
            except ValueError as fault:
                raise ValueError(
                    "each must look like whsec_ and at least 16 bytes in base64, as the provider shows it"
                ) from fault
        return value

    @field_validator("AUTH0_DOMAIN")
    @classmethod
    def tenant(cls, value: str) -> str:
        """The tenant's own name: the Management API does not answer under a custom domain."""
        if value and (
            "@" in value or not (_is_origin(f"https://{value}") or (_is_origin(value) and _is_on_this_machine(value)))
        ):
            raise ValueError("must be the tenant's domain, such as example.eu.auth0.com")
        return value

    @field_validator("AUTH0_MGMT_CLIENT_ID", "AUTH0_MGMT_CLIENT_SECRET", "AUTH0_LOG_WEBHOOK_SECRET")
    @classmethod
    def whole_tenant(cls, value: str, info: ValidationInfo) -> str:
        """Without any of them nothing can be promoted."""
        if bool(value) != bool(info.data.get("AUTH0_DOMAIN", value)):
            raise ValueError("set AUTH0_DOMAIN, both AUTH0_MGMT_CLIENT_… and AUTH0_LOG_WEBHOOK_SECRET, or none of them")
        if info.field_name == "AUTH0_LOG_WEBHOOK_SECRET" and value and (len(value) < 16 or not value.isascii()):
            raise ValueError("must have at least 16 characters, all ASCII")
        return value

    @field_validator("SECRET_KEY")
    @classmethod
    def secret_key(cls, value: str, info: ValidationInfo) -> str:
        """Made by ourselves only where nothing is at stake."""
        if not value and _must_be_set(info):
            raise ValueError("required; at least 50 random characters")
        return value

    @field_validator("INTERNAL_SERVICE_KEY")
    @classmethod
    def header_value(cls, value: str | None) -> str | None:
        """It travels in a header (RFC 9110 section 5.5)."""
        if value is not None and not (value.isascii() and value.isprintable() and value == value.strip()):
            raise ValueError("must be printable ASCII without blanks around it: it is sent to the backend as a header")
        return value

    @field_validator("ENCRYPTION_KEYS")
    @classmethod
    def fernet_keys(cls, value: list[str], info: ValidationInfo) -> list[str]:
        """Newest first; each encrypts backend credentials and signing keys at rest."""
        if not value and _must_be_set(info):
            raise ValueError("required; make one with: openssl rand -base64 32 | tr +/ -_")
        for key in value:
            try:
                Fernet(key)
            except ValueError as fault:
                raise ValueError(
                    "each key must be 32 bytes in URL-safe base64 (44 characters): openssl rand -base64 32 | tr +/ -_"
                ) from fault
        return value

    @property
    def issuer(self) -> str:
        """The origin every absolute URL starts with."""
        return self.PUBLIC_BASE_URL or _origin(self.HOST, self.PORT)

    @property
    def allowed_hosts(self) -> list[str]:
        """The values of Host that are answered, an IPv6 address in brackets as Django compares them."""
        name = urlsplit(self.issuer).hostname or ""
        return [f"[{name}]" if ":" in name else name, *self.ALLOWED_HOSTS]

    @property
    def service_urls(self) -> dict[str, str]:
        """The upstream URLs of backends, by the name before `_SERVICE_URL`."""
        return {variable.removesuffix(SERVICE_URL): url for variable, url in self.SERVICE_URLS.items()}

    @property
    def otlp_headers(self) -> dict[str, str]:
        """The headers for the collector, by name; values are percent-decoded."""
        pairs = (pair.partition("=") for pair in self.OTEL_EXPORTER_OTLP_HEADERS)
        return {name.lower(): unquote(value) for name, _equals, value in pairs}

    @property
    def cors_origins(self) -> list[str]:
        """The configured origins with ChatGPT's, which GPT Actions always need."""
        return list(dict.fromkeys([*CHATGPT_ORIGINS, *self.CORS_ORIGIN]))


def _must_be_set(info: ValidationInfo) -> bool:
    # One that is malformed is absent here, and reported for itself
    return not (info.data.get("DEBUG", True) or info.data.get("DEMO", True))


class EnvironmentFault(SystemExit):
    """Ends the process before anything starts, with one line per faulty variable."""


def read_environment() -> Environment:
    """The environment of this process, complete and valid.

    Raises:
        EnvironmentFault: naming every missing or malformed variable and what it must look like.
    """
    try:
        return Environment(SERVICE_URLS=_service_urls())
    except ValidationError as fault:
        raise EnvironmentFault(_explain(fault)) from None


def generated(path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(64)) -> str:
    """The secret kept in `path` (mode 0600), made at the first call: for DEBUG and the demo only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text().strip()


def _service_urls() -> dict[str, str]:
    # Backends have any name, so these cannot be fields of their own
    return {name: url for name, url in os.environ.items() if name.endswith(SERVICE_URL) and name != SERVICE_URL and url}


def _explain(fault: ValidationError) -> str:
    # The last part of a location is the variable: the field, or the key of a backend's URL
    faults = [
        f"  {error['loc'][-1]}: {error['msg'].removeprefix('Value error, ')}"
        for error in fault.errors(include_input=False, include_url=False)
    ]
    return "\n".join(["The environment is not complete:", *faults])


def _origin(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _place(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    return parts.scheme.replace("postgresql", "postgres"), parts.hostname, parts.port, parts.path


def _is_issuer(value: str) -> bool:
    parts = urlsplit(value)
    is_secure = parts.scheme == "https" or _is_on_this_machine(value)
    return (
        is_secure
        and bool(parts.hostname)
        and not (parts.query or parts.fragment or parts.username)
        and len(value) <= 200
    )


def _is_on_this_machine(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}


def _is_origin(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and value == f"{parts.scheme}://{parts.netloc}"
