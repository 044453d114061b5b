"""The person's part of the walk: a browser without scripts that fills in our two forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

REDIRECTS_MAX = 10


@dataclass
class Form:
    """A form of a page, with what it would send untouched; `choices` are its boxes, ticked or not."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class PageReader(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Forms and their controls."""
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(at.get("action", "")))
        elif self.forms and tag in {"input", "button"} and at.get("name"):
            form, pair = self.forms[-1], (at["name"], at.get("value", ""))
            form.names.add(at["name"])
            if at.get("type") == "checkbox":
                form.choices.append(pair)
            elif at.get("type") == "radio":
                form.fields += [pair] if "checked" in at else []
            elif tag == "input" and at.get("type") not in {"submit", "button"}:
                form.fields.append(pair)


class Person:
    """Somebody with a browser; wherever a page leads outside the gateway is told, not visited."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._http = httpx.Client(base_url=issuer, timeout=20, trust_env=False)
        self._page = httpx.Response(200, request=httpx.Request("GET", issuer))

    def close(self) -> None:
        """Close the browser."""
        self._http.close()

    def open(self, url: str) -> None:
        """Open an address and follow it as far as it stays here."""
        self._follow(self._http.get(url))

    def form_with(self, name: str) -> Form | None:
        """The form of the page that has a control of this name."""
        reader = PageReader()
        reader.feed(self._page.text)
        return next((form for form in reader.forms if name in form.names), None)

    def send(self, form: Form, answers: list[tuple[str, str]]) -> None:
        """Send a form, with `answers` in the place of what it has under their names."""
        names = {name for name, _value in answers}
        data: dict[str, list[str]] = {}
        for name, value in [pair for pair in form.fields if pair[0] not in names] + answers:
            data.setdefault(name, []).append(value)
        here = str(self._page.url)
        headers = {"origin": self._issuer, "referer": here}
        self._follow(self._http.post(urljoin(here, form.action), data=data, headers=headers))

    @property
    def status(self) -> int:
        """Of the page."""
        return self._page.status_code

    @property
    def sent_to(self) -> str:
        """Where the page leads outside the gateway; "" when it does not."""
        return str(self._page.headers.get("location", ""))

    def _follow(self, answer: httpx.Response) -> None:
        for _step in range(REDIRECTS_MAX):
            following = answer.next_request
            if following is None or not str(following.url).startswith(f"{self._issuer}/"):
                break
            answer = self._http.send(following)
        self._page = answer
