"""A member of staff who reads pages and fills in their forms; nothing is sent that the page did not offer."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit.ledger.models import Event

Values = dict[str, list[str]]


@dataclass
class Form:
    """A form as the page has it, with what it would send untouched."""

    method: str
    names: set[str] = field(default_factory=set)
    values: Values = field(default_factory=dict)


class FormReader(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False
        self._select = ""
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Forms and their controls."""
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(method=at.get("method", "get").lower()))
            self._inside = True
        elif not self._inside:
            return
        elif tag == "input":
            self._input(at)
        elif tag == "select":
            self._select = at.get("name", "")
            self.forms[-1].names.add(self._select)
        elif tag == "option" and "selected" in at:
            self._add(self._select, at.get("value", ""))
        elif tag == "textarea":
            self._text = at.get("name", "")
            self._add(self._text, "")

    def handle_endtag(self, tag: str) -> None:
        """A control outside every form belongs to none of ours."""
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        """What stands in a text area; HTML drops the newline after its tag."""
        if self._text:
            before = self.forms[-1].values[self._text].pop()
            self._add(self._text, before + (data if before else data.removeprefix("\n")))

    def _input(self, at: dict[str, str]) -> None:
        name, kind = at.get("name", ""), at.get("type", "text")
        if not name or "disabled" in at or kind in {"submit", "button"}:
            return
        self.forms[-1].names.add(name)
        if kind not in {"checkbox", "radio"}:
            self._add(name, at.get("value", ""))
        elif "checked" in at:
            self._add(name, at.get("value", "on"))

    def _add(self, name: str, value: str) -> None:
        self.forms[-1].names.add(name)
        self.forms[-1].values.setdefault(name, []).append(value)


class StaffBrowser:
    """Signed in, and at the admin."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.http = Client()
        self.http.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def open(self, path: str, /, **query: str) -> Any:
        """GET a page."""
        return self.http.get(path, query or None)

    def text(self, path: str, /, **query: str) -> str:
        """What stands on a page that must be there."""
        answer = self.http.get(path, query or None, follow=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.content.decode())

    def form(self, path: str, *names: str) -> Form:
        """The form of the page at `path` that has all the `names`."""
        reader = FormReader()
        reader.feed(self.text(path))
        found = [form for form in reader.forms if form.method == "post" and set(names) <= form.names]
        assert found, f"{path} has no form with {names}"
        return found[0]

    def fill(self, path: str, /, **changes: str | list[str]) -> Any:
        """Fill in the form at `path` and send it; an empty list unticks."""
        form = self.form(path, *changes)
        sent: Values = {name: list(values) for name, values in form.values.items()}
        for name, value in changes.items():
            sent[name] = value if isinstance(value, list) else [value]
        return self.http.post(path, sent)


def errors_of(answer: Any) -> dict[str, list[str]]:
    """Why the form was sent back, by field; fails when it was not."""
    assert answer.status_code == 200, f"accepted: {answer.status_code} {answer.headers.get('Location')}"
    form = answer.context["adminform"].form if "adminform" in answer.context else answer.context["form"]
    return {name: [str(error) for error in errors] for name, errors in form.errors.items()}


def last_event(**lookups: Any) -> Event:
    """The newest event that matches; fails when there is none."""
    event = Event.newest_first().filter(**lookups).first()
    assert event is not None, lookups
    return event


def make_staff(username: str, *permissions: str) -> User:
    """A member of staff with exactly these permissions, written `app.codename`."""
    user = User.objects.create_user(username, password="for tests only", is_staff=True)
    for permission in permissions:
        app, _dot, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.fixture
def staff(db: None) -> StaffBrowser:
    """Somebody who may do everything."""
    del db
    return StaffBrowser(User.objects.create_superuser("maria", password="for tests only"))


@pytest.fixture
def viewer(db: None) -> StaffBrowser:
    """Somebody who may see everything and change nothing."""
    del db
    pages = ["client", "scope", "connection", "apikey", "signingkey", "metadatadocument"]
    names = [f"oauth_provider.view_{page}" for page in pages]
    names += ["proxy.view_backend", "proxy.view_issuer", "proxy.view_operation", "auth.view_user", "audit.view_event"]
    return StaffBrowser(make_staff("victor", *names))
