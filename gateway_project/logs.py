"""Structured logs: one JSON line per record, with the request id and without credentials."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
CREDENTIAL_NAMES = frozenset(
    {
        "access_token",
        "authorization",
        "client_secret",
        "code",
        "code_verifier",
        "cookie",
        "csrfmiddlewaretoken",
        "device_code",
        "id_token",
        "id_token_hint",
        "password",
        "proxy_authorization",
        "refresh_token",
        "secret",
        "set_cookie",
        "token",
        "user_code",
        "x_api_key",
    }
)
# Our own tokens wherever they stand, and credentials in a query string or a header that was logged whole
CREDENTIAL_TEXT = re.compile(
    r"\bgh_[a-z]+_[A-Za-z0-9_-]+"
    r"|(?:^|(?<=[?&]))(?:code|token|access_token|refresh_token|id_token|id_token_hint|client_secret|code_verifier|device_code|user_code)=[^&\s\"']+"
    r"|\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+",
    re.IGNORECASE,
)


def drop_credentials(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace every value that is, or contains, a credential."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:  # noqa: ANN401 - log values are anything
    if key.lower().replace("-", "_") in CREDENTIAL_NAMES:
        return HIDDEN
    if isinstance(value, str):
        return CREDENTIAL_TEXT.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", inner) for inner in value]
    return value


def logging_config() -> dict[str, Any]:
    """The dictConfig of the process: structlog and the standard library end in the same formatter."""
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Every refused request would be a line with a traceback; the ledger has them
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},
            # It logs whole URLs
            "httpx": {"level": "WARNING"},
            "oauthlib": {"level": "WARNING"},
            "oauth2_provider": {"level": "WARNING"},
        },
    }


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        drop_credentials,
    ]
