"""What a person of the demo does between an authorization request and its answer: signs in, unticks, allows."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from gateway_project.demo.browser import Person
from gateway_project.demo.facts import Facts
from gateway_project.demo.walk import WalkEnded


@dataclass(frozen=True, slots=True)
class Allowed:
    """What came of it: the permissions that stayed ticked, and the parameters the client got back."""

    scopes: list[str]
    code: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request, as far as its answer must fit it."""

    url: str
    redirect_uri: str
    state: str


def allow(person: Person, request: Request, *, account: Facts, unticked: Collection[str] = ()) -> Allowed:
    """Open the request as `account` of demo.json, sign in when asked to, and allow all but what is `unticked`.

    Raises:
        WalkEnded: there was no page to sign in or to allow at, or no code for this state.
    """
    person.open(request.url)
    sign_in = person.form_with("password")
    if sign_in is not None:
        person.send(sign_in, [(name, account[name]) for name in ("username", "password")])
    form = person.form_with("decision")
    if form is None:
        raise WalkEnded(f"The authorization URL answered {person.status} and no page to allow anything at.")
    ticked = [pair for pair in form.choices if pair[0] == "scope" and pair[1] not in unticked]
    person.send(form, [*ticked, ("decision", "allow")])
    returned = {name: values[0] for name, values in parse_qs(urlsplit(person.sent_to).query).items()}
    is_answer = person.sent_to.startswith(request.redirect_uri) and returned.get("state") == request.state
    if not is_answer or "code" not in returned:
        raise WalkEnded(f"The consent page answered {person.status} and no code for this state.")
    return Allowed([name for _field, name in ticked], returned["code"], returned.get("iss", ""))


def account_of(facts: Facts, username: str) -> Facts:
    """The person of demo.json who is called `username`."""
    account: Facts = next(user for user in facts["users"] if user["username"] == username)
    return account
