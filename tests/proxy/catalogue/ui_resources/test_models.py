"""What a page may be: a whole document of bounded size that names https origins and nothing else."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from proxy.catalogue.ui_resources.models import HTML_MAX_BYTES, UiResource
from tests.proxy.catalogue.ui_resources.conftest import HTML, URI

pytestmark = pytest.mark.django_db


def page(**changes: Any) -> UiResource:
    """A page that is fine but for the changes."""
    return UiResource(**({"uri": URI, "title": "Jobs", "html": HTML} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"html": "  \n<!DOCTYPE HTML><p>"},
        {"html": "<!doctype html>" + "é" * ((HTML_MAX_BYTES - 15) // 2)},
        {"connect_domains": ["https://api.example.com", "https://api.example.com:8443"]},
        {"resource_domains": ["https://*.example.com"]},
        {"frame_domains": [f"https://f{number}.example.com" for number in range(20)]},
        {"domain": "a904794854a047f6.claudemcpcontent.com"},
        {"domain": "https://jobs.example.com"},
    ],
)
def test_what_clients_show_is_taken(changes: dict[str, Any]) -> None:
    page(**changes).full_clean()


@pytest.mark.parametrize("name", ["connect_domains", "resource_domains", "frame_domains"])
@pytest.mark.parametrize(
    "wrong",
    [
        ["http://api.example.com"],
        ["wss://api.example.com"],
        ["api.example.com"],
        ["https://api.example.com/"],
        ["https://api.example.com/path"],
        ["https://user@api.example.com"],
        ["https://api.example.com; script-src *"],
        ["https://api.example.com 'unsafe-eval'"],
        ["https://api.example.com\n"],
        ["https://API.example.com"],
        ["https://localhost"],
        ["https://*.com"],
        ["https://*"],
        ["https://a.*.example.com"],
        ["https://-a.example.com"],
        ["https://xn--é.example.com"],
        ["*"],
        ["'self'"],
        ["data:"],
        [""],
        [7],
        "https://api.example.com",
        {"https://api.example.com": 1},
        [f"https://f{number}.example.com" for number in range(21)],
        ["https://" + "a." * 130 + "example.com"],
    ],
)
def test_an_origin_that_opens_more_than_it_says_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(ValidationError) as fault:
        page(**{name: wrong}).full_clean()
    assert set(fault.value.message_dict) == {name}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("uri", "https://jobs.example/list.html"),
        ("uri", "ui://jobs/list"),
        ("uri", "ui://jobs/../list.html"),
        ("uri", "ui://Jobs/list.html"),
        ("uri", "ui://jobs/list.html\n"),
        ("html", "<p>A part of a document"),
        ("html", "<!doctype htmlx>"),
        ("html", "<!doctype html>" + "é" * (HTML_MAX_BYTES // 2)),
        ("domain", "http://jobs.example.com"),
        ("domain", "jobs.example.com/path"),
        ("domain", "jobs"),
    ],
)
def test_what_no_client_would_show_is_refused_by_field(name: str, wrong: str) -> None:
    with pytest.raises(ValidationError) as fault:
        page(**{name: wrong}).full_clean()
    assert set(fault.value.message_dict) == {name}
