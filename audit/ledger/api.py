"""`audit/events/`: the ledger, searched page by page, newest first.

Who may read it, how a page is cut and how a refusal looks are the settings' to say (REST_FRAMEWORK): the ledger lies
below what knows.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from audit.ledger.kinds import Decision, Kind, Phase
from audit.ledger.models import Event
from audit.ledger.people import Person, people_behind, pseudonyms_of

MICROSECONDS_PER_MS = 1000
# The kind everybody asks for, in a word
CALL = "call"


@extend_schema_field({"type": "number", "nullable": True})
class Milliseconds(serializers.IntegerField):
    """Microseconds, shown as milliseconds."""

    def to_representation(self, value: Any) -> float:  # type: ignore[override]  # noqa: ANN401 - the model's number
        """To the microsecond."""
        return int(value) / MICROSECONDS_PER_MS


class EventSerializer(serializers.ModelSerializer[Event]):
    """One event; people are named here, and never in the ledger."""

    user = serializers.SerializerMethodField(help_text="the external id of whom it concerns")
    user_email = serializers.SerializerMethodField()
    actor = serializers.SerializerMethodField(help_text="the external id of the member of staff who acted")
    latency_ms = Milliseconds(source="latency_us")
    upstream_latency_ms = Milliseconds(source="upstream_latency_us")

    class Meta:
        model = Event
        fields = (
            "id",
            "timestamp",
            "kind",
            "phase",
            "request_id",
            "user",
            "user_email",
            "actor",
            "client_id",
            "connection",
            "backend",
            "operation",
            "method",
            "path",
            "decision",
            "reason",
            "status",
            "upstream_status",
            "latency_ms",
            "upstream_latency_ms",
            "request_bytes",
            "response_bytes",
            "retries",
            "scopes",
            "scopes_required",
            "audience",
            "target",
            "fields",
            "note",
        )
        read_only_fields = fields

    def get_user(self, event: Event) -> str:
        """The pseudonym itself where nobody knows any more."""
        return self._person(event.subject).external_id

    def get_user_email(self, event: Event) -> str:
        """As it is now."""
        return self._person(event.subject).email

    def get_actor(self, event: Event) -> str:
        """The pseudonym itself where nobody knows any more."""
        return self._person(event.actor).external_id

    def _person(self, pseudonym: str) -> Person:
        known: Mapping[str, Person] = self.context["people"]
        return known.get(pseudonym, Person(external_id=pseudonym, email=""))


def _kind(text: str) -> Q:
    name = Kind.PROXY_CALL_DECIDED.value if text == CALL else text
    if name not in set(Kind):
        raise ValidationError(_("There is no kind of event called %(name)s.") % {"name": text})
    return Q(kind=name)


def _decision(text: str) -> Q:
    if text not in set(Decision):
        raise ValidationError(_("A decision is one of %(names)s.") % {"names": ", ".join(Decision)})
    return Q(decision=text)


def _moment(text: str) -> datetime:
    # The plus of an offset that nobody encoded arrives as a blank
    written = text.replace(" ", "+") if "T" in text else text
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationError(_("A time looks like 2026-11-25 or 2026-11-25T14:30, in UTC.")) from None


def _is(column: str) -> Callable[[str], Q]:
    return lambda text: Q(**{column: text})


class EventView(GenericViewSet[Event]):
    """A call that changes something has an intent and an outcome: the intent shows only while it is all there is."""

    http_method_names = ["get", "head"]
    resource = "audit"
    model = Event
    serializer_class = EventSerializer
    lookup_field = "id"
    order: ClassVar[Sequence[str]] = ("-timestamp", "-id")
    counted = False
    filters: ClassVar[Mapping[str, Callable[[str], Q]]] = {
        "user": lambda text: Q(subject__in=pseudonyms_of(text)),
        "client": _is("client_id"),
        "connection": _is("connection"),
        "backend": _is("backend"),
        "operation": _is("operation"),
        "decision": _decision,
        "reason": _is("reason"),
        "kind": _kind,
        "request_id": _is("request_id"),
        "since": lambda text: Q(timestamp__gte=_moment(text)),
        "until": lambda text: Q(timestamp__lt=_moment(text)),
    }

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Nothing of this is anybody's to keep."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Event]:
        """Events but the intents whose outcome is known."""
        outcome = Event.newest_first().filter(
            request_id=OuterRef("request_id"), kind=OuterRef("kind"), phase=Phase.FINAL
        )
        return Event.newest_first().filter(Q(phase=Phase.FINAL) | ~Exists(outcome.order_by()))

    def list(self, request: Request) -> Response:
        """A page."""
        del request
        rows = list(self.paginate_queryset(self.get_queryset()) or ())
        return self.get_paginated_response(self._shown(rows, many=True))

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """One.

        Raises:
            Http404: there is none.
        """
        del request
        event = self.get_queryset().filter(**kwargs).first()
        if event is None:
            raise Http404
        return Response(self._shown(event, many=False))

    def _shown(self, events: Any, *, many: bool) -> Any:  # noqa: ANN401 - one event or several
        people = people_behind(events if many else [events])
        context = {**self.get_serializer_context(), "people": people}
        return EventSerializer(events, many=many, context=context).data
