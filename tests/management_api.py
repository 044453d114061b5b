"""A member of staff's program at the management API."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.staff_browser import make_staff

ROOT = "/api/manage/v1/"
REASON = {"X-Reason": "because the test says so"}


@dataclass
class Api:
    """Calls with `headers`; answers are Django's."""

    http: Client
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, /, **query: Any) -> Any:
        """GET `path` below the API's root, or a whole address."""
        return self.http.get(_whole(path), query or None, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST JSON."""
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH JSON."""
        return self._send("patch", path, body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE, with a reason unless told otherwise."""
        return self._send("delete", path, None, headers or REASON)

    def made(self, path: str, /, **body: Any) -> dict[str, Any]:
        """What a POST made; fails when it did not."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        data = "" if body is None else json.dumps(body)
        send = getattr(self.http, method)
        return send(_whole(path), data, content_type="application/json", headers=self.headers | headers)


def _whole(path: str) -> str:
    return path if path.startswith(("/", "http")) else ROOT + path


def signed_in(user: User, *, csrf: bool = False) -> Client:
    """A browser with the session of `user`; `csrf` as a real one, which must send the token."""
    http = Client(enforce_csrf_checks=csrf)
    http.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return http


def errors_of(answer: Any, status: int = 400) -> dict[str, list[str]]:
    """The errors of a refusal, by field; fails when it is another."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, list[str]] = answer.json().get("errors", {})
    return found


@pytest.fixture
def api(db: None) -> Api:
    """Somebody who may do everything."""
    del db
    return Api(signed_in(User.objects.create_superuser("maria", email="maria@example.com", password="for tests only")))


def api_of(*permissions: str) -> Api:
    """Somebody with exactly these permissions."""
    return Api(signed_in(make_staff("sam", *permissions)))
