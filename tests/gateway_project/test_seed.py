"""The demo's data: complete after the first run, the same after the second, mended where it was damaged."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from audit.ledger.models import Event
from gateway_project.demo.facts import facts_path, read_facts, write_facts
from gateway_project.demo.seed import seed
from oauth_provider.api_keys.verify import verify_api_key
from oauth_provider.clients.models import Client, ClientSecret
from oauth_provider.clients.secrets import matches
from oauth_provider.identities.models import Identity
from oauth_provider.resources.models import Resource
from oauth_provider.scopes.models import Scope
from proxy.catalogue.from_environment import bring_catalogue_in_line
from proxy.catalogue.models import Backend, Operation

pytestmark = pytest.mark.django_db
ORIGIN = "http://127.0.0.1:8001"
EVERY_SCOPE = ["jobs:read", "applications:read", "applications:write", "resume:read", "tool:read", "tool:write"]


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    """Hashing is Django's to test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def run(known: dict[str, Any] | None = None, *, origin: str = ORIGIN) -> dict[str, Any]:
    """Seed as a start does."""
    return seed(known=known or {}, backends_origin=origin)


def test_facts_have_the_shape_of_the_contract(settings: Any) -> None:
    facts, issuer = run(), settings.PUBLIC_BASE_URL
    assert list(facts) == ["issuer", "staff", "users", "clients", "api_key", "scopes", "backends", "mcp_url"]
    assert (facts["issuer"], facts["mcp_url"], facts["scopes"]) == (issuer, f"{issuer}/mcp", EVERY_SCOPE)
    assert list(facts["staff"]) == ["username", "password", "url"]
    assert facts["staff"]["url"] == f"{issuer}/admin/"
    assert [(user["username"], user["external_id"]) for user in facts["users"]] == [
        ("ana", "user_2abc"),
        ("bruno", "user_2def"),
    ]
    assert facts["backends"] == {
        "careers": {"prefix": "/api/v1/gpt", "upstream": f"{ORIGIN}/careers/api/v2"},
        "echo": {"prefix": "/api/v1/echo", "upstream": f"{ORIGIN}/echo"},
    }


def test_clients_have_the_shape_of_the_contract(settings: Any) -> None:
    clients, issuer = run()["clients"], settings.PUBLIC_BASE_URL
    for client in clients.values():
        assert client.pop("client_id")
    assert clients["gpt"].pop("client_secret")
    assert clients["service"].pop("client_secret")
    assert clients == {
        "gpt": {
            "name": "Career Copilot",
            "redirect_uris": [
                "https://chat.openai.com/aip/g-demo/oauth/callback",
                "https://chatgpt.com/aip/g-demo/oauth/callback",
            ],
            "authorization_url": f"{issuer}/oauth/authorize",
            "token_url": f"{issuer}/oauth/token",
            "scopes": EVERY_SCOPE[:4],
        },
        "public": {
            "name": "Desk Assistant",
            "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
            "scopes": EVERY_SCOPE,
        },
        "service": {"name": "Nightly Report", "scopes": ["tool:read", "tool:write"]},
    }


def test_every_credential_opens_something() -> None:
    facts = run()
    for person in (facts["staff"], *facts["users"]):
        assert User.objects.get(username=person["username"]).check_password(person["password"])
    for key in ("gpt", "service"):
        known = facts["clients"][key]
        assert matches(client=Client.objects.get(client_id=known["client_id"]), secret=known["client_secret"])
    assert verify_api_key(facts["api_key"]).scopes == set(EVERY_SCOPE)


def test_people_are_who_they_should_be() -> None:
    run()
    assert dict(User.objects.values_list("username", "is_superuser")) == {"staff": True, "ana": False, "bruno": False}
    assert Identity.objects.get(user__username="ana").external_id == "user_2abc"


def test_only_the_gpt_is_exempt_from_pkce() -> None:
    run()
    assert {client.name: client.requires_pkce for client in Client.objects.all()} == {
        "Career Copilot": False,
        "Desk Assistant": True,
        "Nightly Report": True,
    }


def test_operations_need_the_scope_of_their_name() -> None:
    run()
    echo = Operation.objects.filter(backend__name="echo")
    assert {(tuple(operation.methods), operation.path, *operation.scopes) for operation in echo} == {
        (("GET",), "/**", "tool:read"),
        (("POST", "PUT", "PATCH", "DELETE"), "/**", "tool:write"),
    }
    assert Operation.objects.filter(backend__name="careers").count() == 5
    careers = Backend.objects.get(name="careers")
    assert careers.allow_private
    assert careers.identity_headers == ["X-Clerk-User-Id", "X-Gpt-Clerk-User-Id"]
    assert set(Resource.objects.values_list("path", flat=True)) == {"/api/v1/gpt", "/api/v1/echo"}


@pytest.mark.parametrize("name", EVERY_SCOPE)
def test_every_scope_has_words_in_both_languages(name: str) -> None:
    run()
    scope = Scope.objects.get(name=name)
    for field in ("title", "description"):
        assert scope.words(field, "en") != scope.words(field, "pt-br")
        assert scope.words(field, "pt-br")


def test_a_second_run_keeps_everything_and_records_nothing() -> None:
    facts = run()
    events = Event.objects.count()
    assert run(json.loads(json.dumps(facts))) == facts
    assert Event.objects.count() == events


@pytest.mark.parametrize("known", [{}, {"users": "damaged", "clients": [], "staff": None, "api_key": 7}])
def test_without_its_file_clients_stay_and_credentials_are_new(known: dict[str, Any]) -> None:
    facts = run()
    again = run(known)
    assert Client.objects.count() == 3
    for key in ("gpt", "public", "service"):
        assert again["clients"][key]["client_id"] == facts["clients"][key]["client_id"]
    assert again["staff"]["password"] != facts["staff"]["password"]
    assert again["api_key"] != facts["api_key"]


def test_a_lost_secret_is_replaced_and_opens_nothing_any_more() -> None:
    lost = run()["clients"]["gpt"]["client_secret"]
    found = run()["clients"]["gpt"]
    client = Client.objects.get(client_id=found["client_id"])
    assert matches(client=client, secret=found["client_secret"])
    assert not matches(client=client, secret=lost)
    assert ClientSecret.objects.filter(client=client, retired_at=None).count() == 1


def test_a_password_that_staff_changed_is_made_anew() -> None:
    facts = run()
    ana = User.objects.get(username="ana")
    ana.set_password("something else entirely")
    ana.save()
    again = run(facts)
    assert again["users"][0]["password"] != facts["users"][0]["password"]
    assert again["users"][1] == facts["users"][1]


def test_a_password_is_hashed_once_and_not_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = run()

    def slow(*_args: object) -> bool:
        raise AssertionError("a slow hash at a second start")

    monkeypatch.setattr(User, "check_password", slow)
    assert run(facts) == facts


def test_signing_in_does_not_renew_the_hash(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    password = run()["users"][0]["password"]
    before = User.objects.get(username="ana").password
    assert User.objects.get(username="ana").check_password(password)
    assert User.objects.get(username="ana").password == before


def test_what_staff_changed_stays() -> None:
    facts = run()
    Scope.objects.filter(name="jobs:read").update(title="Look for work")
    Operation.objects.filter(operation_id="readEcho").update(enabled=False)
    Client.objects.filter(name="Career Copilot").update(allowed_scopes="jobs:read")
    again = run(facts)
    assert Scope.objects.get(name="jobs:read").title == "Look for work"
    assert not Operation.objects.get(operation_id="readEcho").enabled
    assert again["clients"]["gpt"]["scopes"] == ["jobs:read"]


def test_another_port_moves_the_backends() -> None:
    run(run(), origin="http://127.0.0.1:9001")
    assert Backend.objects.get(name="echo").upstream_url == "http://127.0.0.1:9001/echo"


def test_a_variable_of_a_demo_backend_is_followed_and_forgotten_with_it(settings: Any) -> None:
    own, elsewhere = run(), "http://127.0.0.1:7000/careers"
    settings.SERVICE_URLS = {"CAREERS": elsewhere}
    facts = run(own)
    bring_catalogue_in_line(service_urls=settings.SERVICE_URLS, internal_service_key=None, demo=True)
    events = Event.objects.count()
    assert run(facts) == own, "demo.json says where the demo's own backends are"
    assert Backend.objects.get(name="careers").upstream_url == elsewhere
    assert Event.objects.count() == events
    settings.SERVICE_URLS = {}
    run(facts)
    assert Backend.objects.get(name="careers").upstream_url == f"{ORIGIN}/careers/api/v2"


def test_gpt_takes_its_prefix_and_gives_it_back(settings: Any) -> None:
    facts = run()
    settings.SERVICE_URLS = {"GPT": "http://127.0.0.1:3014"}
    for _start in range(2):
        run(facts)
        bring_catalogue_in_line(service_urls=settings.SERVICE_URLS, internal_service_key=None, demo=True)
        prefixes = dict(Backend.objects.values_list("name", "prefix"))
        assert prefixes == {"gpt": "/api/v1/gpt", "careers": "/api/v1/careers", "echo": "/api/v1/echo"}
    settings.SERVICE_URLS = {}
    run(facts)
    prefixes = dict(Backend.objects.values_list("name", "prefix"))
    assert prefixes == {"careers": "/api/v1/gpt", "echo": "/api/v1/echo"}


def test_the_file_is_for_its_owner_alone(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "new"
    write_facts({"issuer": "a"})
    write_facts({"issuer": "b"})
    assert stat.S_IMODE(facts_path().stat().st_mode) == 0o600
    assert read_facts() == {"issuer": "b"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["demo.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_a_damaged_file_is_as_good_as_none(settings: Any, tmp_path: Path, content: str) -> None:
    settings.DATA_DIR = tmp_path
    facts_path().write_text(content)
    assert read_facts() == {}
