"""Between pseudonyms and people, at display and search only: the ledger itself never holds a name."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from audit.ledger.models import Event, Subject

MATCHES_MAX = 200


def pseudonyms_matching(text: str) -> list[str]:
    """Pseudonyms of the users whose name or e-mail contains `text`, or whose external id or pseudonym it is."""
    users = get_user_model()._default_manager.filter(
        Q(username__icontains=text) | Q(email__icontains=text) | Q(first_name__iexact=text) | Q(last_name__iexact=text)
    )
    ids = list(users.values_list("pk", flat=True)[:MATCHES_MAX])
    subjects = Subject.objects.filter(Q(user_id__in=ids) | Q(external_id=text) | Q(pseudonym=text))
    return list(subjects.values_list("pseudonym", flat=True)[:MATCHES_MAX])


def client_ids_matching(text: str) -> list[str]:
    """Identifiers of the clients whose name contains `text`."""
    # By its setting: the ledger lies below the authorization server and imports nothing of it
    clients = apps.get_model(settings.OAUTH2_PROVIDER_APPLICATION_MODEL)._default_manager
    return list(clients.filter(name__icontains=text).values_list("client_id", flat=True)[:MATCHES_MAX])


def with_names(events: QuerySet[Event]) -> QuerySet[Event]:
    """Add `subject_name`, `actor_name` and `client_name` to each event, "" where nobody is known any more."""
    clients = apps.get_model(settings.OAUTH2_PROVIDER_APPLICATION_MODEL)._default_manager
    names = clients.filter(client_id=OuterRef("client_id")).values("name")[:1]
    return events.annotate(
        subject_name=_name_of("subject"),
        actor_name=_name_of("actor"),
        client_name=Coalesce(NullIf(Subquery(names), Value("")), "client_id", output_field=CharField()),
    )


def _name_of(column: str) -> Coalesce:
    subjects = Subject.objects.filter(pseudonym=OuterRef(column))
    users = get_user_model()._default_manager.filter(pk=Subquery(_outer(column)))
    return Coalesce(
        Subquery(users.values("username")[:1]),
        Subquery(subjects.values("external_id")[:1]),
        column,
        output_field=CharField(),
    )


def _outer(column: str) -> QuerySet[Subject, int]:
    # Two levels up: the event is the query around the users' query
    return Subject.objects.filter(pseudonym=OuterRef(OuterRef(column))).values_list("user_id", flat=True)[:1]


@dataclass(frozen=True, slots=True)
class Person:
    """Who a pseudonym stands for, as they are known now."""

    external_id: str
    email: str


def pseudonyms_of(text: str) -> list[str]:
    """Pseudonyms of the users whose external id, e-mail or pseudonym is `text`."""
    users = get_user_model()._default_manager.filter(email__iexact=text) if "@" in text else ()
    wanted = Q(external_id=text) | Q(pseudonym=text) | Q(user_id__in=[user.pk for user in users])
    return list(Subject.objects.filter(wanted).values_list("pseudonym", flat=True)[:MATCHES_MAX])


def people_behind(events: Iterable[Event]) -> dict[str, Person]:
    """Everybody the events mention, by pseudonym, in two statements."""
    named = {name for event in events for name in (event.subject, event.actor) if name}
    subjects = list(Subject.objects.filter(pseudonym__in=named)) if named else []
    users = get_user_model()._default_manager.filter(pk__in=[subject.user_id for subject in subjects])
    emails = dict(users.values_list("pk", "email")) if subjects else {}
    return {subject.pseudonym: Person(subject.external_id, emails.get(subject.user_id, "")) for subject in subjects}
