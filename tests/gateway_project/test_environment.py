"""The environment: typed, with defaults, and every fault named at once."""

import pytest
from cryptography.fernet import Fernet

from gateway_project.environment import Environment, EnvironmentFault, read_environment

COMPLETE = {"SECRET_KEY": "s" * 60, "ENCRYPTION_KEYS": Fernet.generate_key().decode()}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(name, raising=False)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def test_defaults_are_those_of_the_contract() -> None:
    environment = read_environment()
    assert environment.issuer == "http://127.0.0.1:8000"
    assert environment.WEB_CONCURRENCY == 1
    assert (environment.RATE_LIMIT_WINDOW_MS, environment.RATE_LIMIT_MAX) == (60_000, 300)
    assert environment.OAUTH_ALIAS_PREFIXES == ["/api/v1/gpt/oauth"]


def test_an_ipv6_address_makes_an_origin_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "::1")
    assert read_environment().issuer == "http://[::1]:8000"
    assert read_environment().allowed_hosts == ["[::1]"]


def test_chatgpt_origins_are_always_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://portal.example, https://chatgpt.com")
    assert read_environment().cors_origins == [
        "https://chat.openai.com",
        "https://chatgpt.com",
        "https://portal.example",
    ]


def test_all_faults_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://gateway.example/")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("JOBS_SERVICE_URL", "ftp://jobs.example")
    monkeypatch.delenv("SECRET_KEY")
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    for name in ("PUBLIC_BASE_URL", "DATABASE_URL", "PORT", "JOBS_SERVICE_URL", "SECRET_KEY"):
        assert f"  {name}: " in str(fault.value)


def test_several_missing_variables_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COMPLETE:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    assert all(name in str(fault.value) for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "REDIS_URL"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_BASE_URL", "gateway.example"),
        ("PUBLIC_BASE_URL", "https://gateway.example/path"),
        ("CORS_ORIGIN", "*"),
        ("CORS_ORIGIN", "https://app.example/"),
        ("REDIS_URL", "memcached://x"),
        ("GPT_SERVICE_URL", "ftp://jobs.example"),
        ("JOBS_SERVICE_URL", "jobs.example"),
        ("JOBS_SERVICE_URL", "http://127.0.0.1:8000/jobs"),
        ("JOBS_SERVICE_URL", "http://169.254.169.254/"),
        ("OAUTH_ALIAS_PREFIXES", "api"),
        ("INTERNAL_SERVICE_KEY", "two\nlines"),
        ("INTERNAL_SERVICE_KEY", "chavé"),
        ("ENCRYPTION_KEYS", "short"),
        ("WEB_CONCURRENCY", "0"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("GATEWAY_API_KEY", "short"),
        ("OAUTH_CLIENT_ID", "alone"),
        ("OAUTH_RATES", "token=many"),
        ("AUDIT_DATABASE_URL", "postgresql://ledger@elsewhere/gatehouse"),
        ("SIGN_IN_ISSUER", "login.example"),
        ("SIGN_IN_ISSUER", "http://login.example"),
        ("SIGN_IN_ISSUER", "https://login.example?a=1"),
        ("SIGN_IN_CLIENT_ID", "alone"),
        ("SIGN_IN_CLIENT_SECRET", "alone"),
        ("SIGN_IN_NAME", "x" * 41),
        ("SIGN_IN_EXTERNAL_ID_CLAIM", "two words"),
        ("SIGN_IN_PASSWORDS", "false"),
        ("IDENTITY_WEBHOOK_SECRETS", "whsec_short"),
        ("IDENTITY_WEBHOOK_SECRETS", "c2VjcmV0IHdpdGhvdXQgYSBwcmVmaXg="),
        ("IDENTITY_WEBHOOK_SECRETS", "whsec_é"),
        ("AUTH0_DOMAIN", "https://acme.eu.auth0.com"),
        ("AUTH0_DOMAIN", "user@acme.eu.auth0.com"),
        ("AUTH0_MGMT_CLIENT_ID", "alone"),
        ("AUTH0_MGMT_CLIENT_SECRET", "alone"),
        ("AUTH0_LOG_WEBHOOK_SECRET", "alone but long enough"),
        ("AUTH0_CONNECTION_ID", "../x"),
        ("METRICS_TOKEN", "short"),
        ("METRICS_TOKEN", "long enough but with blanks"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318?key=1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1"),
    ],
)
def test_a_malformed_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    assert name in str(fault.value)


def test_the_ledger_may_have_a_role_of_its_own_in_the_same_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://gatehouse:one@db/gatehouse")
    monkeypatch.setenv("AUDIT_DATABASE_URL", "postgresql://ledger:two@db/gatehouse")
    assert read_environment().AUDIT_DATABASE_URL.startswith("postgresql://ledger")


def test_any_backend_takes_its_url_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT_SERVICE_URL", "http://localhost:3014")
    monkeypatch.setenv("OPEN_JOBS_SERVICE_URL", "https://jobs.internal/api/v2")
    monkeypatch.setenv("UNUSED_SERVICE_URL", "")
    assert read_environment().service_urls == {
        "GPT": "http://localhost:3014",
        "OPEN_JOBS": "https://jobs.internal/api/v2",
    }


def test_a_fault_never_shows_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "hunter2-hunter2-hunter2")
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    assert "hunter2" not in str(fault.value)


SIGN_IN = {"SIGN_IN_ISSUER": "https://acme.eu.auth0.com/", "SIGN_IN_CLIENT_ID": "id", "SIGN_IN_CLIENT_SECRET": "secret"}


@pytest.mark.parametrize("missing", [*SIGN_IN])
def test_a_provider_is_described_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SIGN_IN_PASSWORDS", "false")
    assert not read_environment().SIGN_IN_PASSWORDS
    monkeypatch.delenv(missing)
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    assert "SIGN_IN_ISSUER" in str(fault.value)


def test_a_tenant_is_described_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH0_DOMAIN", "acme.eu.auth0.com")
    with pytest.raises(EnvironmentFault) as fault:
        read_environment()
    for name in ("AUTH0_MGMT_CLIENT_ID", "AUTH0_MGMT_CLIENT_SECRET", "AUTH0_LOG_WEBHOOK_SECRET"):
        assert f"  {name}: " in str(fault.value)


def test_the_collectors_headers_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Key=a%20b, authorization=Basic%20eA==")
    assert read_environment().otlp_headers == {"x-key": "a b", "authorization": "Basic eA=="}
