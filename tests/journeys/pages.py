"""A browser without scripts: cookies, links and forms, read with the standard library's parser."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin

import httpx

VOID_TEXT = frozenset({"script", "style", "template"})


@dataclass(frozen=True, kw_only=True)
class Field:
    """One control of a form, with the value it would send."""

    name: str
    value: str
    kind: str
    checked: bool = False

    @property
    def is_sent(self) -> bool:
        """Whether a browser sends it untouched: boxes only when ticked, buttons only when pressed."""
        if self.kind in {"checkbox", "radio"}:
            return self.checked
        return self.kind not in {"submit", "button", "file", "reset", "image"}


@dataclass(kw_only=True)
class Form:
    """A form as the page has it."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    def named(self, name: str) -> list[Field]:
        """The controls called `name`, in the order of the page."""
        return [item for item in self.fields if item.name == name]


@dataclass(kw_only=True)
class Page:
    """An answer, and what a person would find in it."""

    response: httpx.Response
    text: str
    links: list[str]
    forms: list[Form]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    def form_with(self, name: str) -> Form:
        """The one form that has a control called `name`.

        Raises:
            AssertionError: there is none; the message shows the page.
        """
        found = [form for form in self.forms if form.named(name)]
        assert found, f"{self.status} {self.response.url} has no form with {name!r}:\n{self.text[:2000]}"
        return found[0]


class Browser:
    """A person's browser at one gateway, scripts off; redirects to elsewhere are returned, not followed."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._http = httpx.Client(base_url=issuer, timeout=20, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def open(self, url: str) -> Page:
        """Open an address."""
        return self._follow(self._http.get(url))

    def submit(self, page: Page, form: Form, answers: Iterable[tuple[str, str]] = ()) -> Page:
        """Send `form` with every control named in `answers` replaced by those answers."""
        replaced = list(answers)
        names = {name for name, _ in replaced}
        kept = [(item.name, item.value) for item in form.fields if item.is_sent and item.name not in names]
        target = urljoin(str(page.response.url), form.action)
        data: dict[str, list[str]] = {}
        for name, value in kept + replaced:
            data.setdefault(name, []).append(value)
        headers = {"Origin": self.issuer, "Referer": str(page.response.url)}
        if form.method == "get":
            return self._follow(self._http.get(target, params=data))
        return self._follow(self._http.post(target, data=data, headers=headers))

    def _follow(self, response: httpx.Response) -> Page:
        for _ in range(10):
            following = response.next_request
            if following is None or not str(following.url).startswith(f"{self.issuer}/"):
                return _read(response)
            response = self._http.send(following)
        raise AssertionError(f"redirected in circles at {response.url}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._silent = 0
        self._select = ""
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag in VOID_TEXT:
            self._silent += 1
        elif tag == "a" and "href" in at:
            self.links.append(at["href"])
        elif tag == "form":
            self._open = Form(action=at.get("action", ""), method=at.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None:
            self._control(tag, at)

    def _control(self, tag: str, at: dict[str, str]) -> None:
        if tag == "input":
            kind = at.get("type", "text").lower()
            value = at.get("value", "on" if kind in {"checkbox", "radio"} else "")
            self._add(at.get("name", ""), value, kind, checked="checked" in at)
        elif tag == "button":
            self._add(at.get("name", ""), at.get("value", ""), at.get("type", "submit").lower())
        elif tag == "select":
            self._select = at.get("name", "")
        elif tag == "option" and "selected" in at:
            self._add(self._select, at.get("value", ""), "select")
        elif tag == "textarea":
            self._textarea = at.get("name", "")
            self._add(self._textarea, "", "textarea")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID_TEXT:
            self._silent -= 1
        elif tag == "form":
            self._open = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None and self._open is not None:
            # The parser may deliver a text in pieces; HTML drops one newline after the opening tag.
            last = self._open.fields.pop()
            value = last.value + (data if last.value else data.removeprefix("\n"))
            self._add(last.name, value, "textarea")
        elif not self._silent:
            self.words.append(data)

    def _add(self, name: str, value: str, kind: str, *, checked: bool = False) -> None:
        if name and self._open is not None:
            self._open.fields.append(Field(name=name, value=value, kind=kind, checked=checked))


def _read(response: httpx.Response) -> Page:
    reader = _Reader()
    reader.feed(response.text)
    return Page(
        response=response, text=" ".join(" ".join(reader.words).split()), links=reader.links, forms=reader.forms
    )
