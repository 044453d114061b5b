"""What every resource of the management API does alike; a resource names its model, its serializer and its verbs."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, cast

from django.core.exceptions import ValidationError as ModelFault
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from audit.ledger.events import UserRef
from oauth_provider.identities.external_id import user_ref
from oauth_provider.staff_api.fields import Strict
from oauth_provider.staff_api.pages import Filter
from oauth_provider.staff_api.permissions import IsStaff
from oauth_provider.staff_api.problems import flat, of_model
from oauth_provider.staff_api.reasons import given_reason, required_reason

# OPTIONS is not among them: there is no page of another origin that may ask, and the schema says more. So Allow, which
# is made of this, does not name a method that would be refused (RFC 9110 section 10.2.1)
METHODS: Final = ("get", "head", "post", "patch", "delete")


class Readable(GenericViewSet[Any]):
    """A resource that is listed and read: `resource` is its name in the address, `lookup_field` its key."""

    http_method_names = [*METHODS]
    resource: ClassVar[str] = ""
    model: ClassVar[type[Model]]
    lookup_field = "id"
    key_converter: ClassVar[str] = "int"
    # Of a list: the last of them is unique
    order: ClassVar[Sequence[str]] = ("id",)
    filters: ClassVar[Mapping[str, Filter]] = {}
    counted: ClassVar[bool] = True
    # Django's permission for an action that its method does not tell
    deeds: ClassVar[Mapping[str, str]] = {}
    # Names of the model's fields that the API calls otherwise
    renamed: ClassVar[Mapping[str, str]] = {}

    @cached_property
    def actor(self) -> UserRef:
        """Who asks, for the event."""
        return user_ref(self.request.user)

    @property
    def reason(self) -> str:
        """Why, as far as the request says."""
        return given_reason(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse NUL in an address before the database does: no value of ours has one.

        Raises:
            Http404: it has one.
        """
        super().initial(request, *args, **kwargs)
        if "\x00" in request.path:
            raise Http404

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Nothing of this is anybody's to keep."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """Everything there is, with what a row shows of others."""
        return self.model._default_manager.all()

    def list(self, request: Request) -> Response:
        """A page."""
        del request
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """One."""
        del request, kwargs
        return Response(self.get_serializer(self.found()).data)

    def found(self, *, locked: bool = False) -> Any:  # noqa: ANN401 - any model's
        """The object of the address; `locked` until the transaction ends.

        Raises:
            Http404: there is none.
        """
        rows = self.get_queryset()
        try:
            return (rows.select_for_update(of=("self",)) if locked else rows).get(**self.kwargs)
        except (self.model.DoesNotExist, ModelFault, ValueError, OverflowError) as fault:  # type: ignore[attr-defined]  # every model's
            raise Http404 from fault

    def shown(self, row: Any, *, status: int = 200) -> Response:  # noqa: ANN401 - any model's
        """`row` as it is now stored."""
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data, status=status)


class RowFault(Exception):
    """The row at `index` of what was posted cannot be made; `fault` says why."""

    def __init__(self, index: int, fault: ModelFault | ValidationError) -> None:
        super().__init__(index)
        self.index = index
        self.fault = fault


class Writable(Readable):
    """A resource that is made, changed and removed too, each by a verb."""

    # Whether a list may be posted, which makes all or none
    takes_lists: ClassVar[bool] = False
    # Fields by whose change somebody gains or loses access
    access_fields: ClassVar[frozenset[str]] = frozenset()

    def make(self, values: dict[str, Any]) -> Any:  # noqa: ANN401 - any model's
        """Make one of checked `values`, by field of the model."""
        raise NotImplementedError

    def change(self, row: Any, values: dict[str, Any], reason: str) -> None:  # noqa: ANN401 - any model's
        """Give `row` those `values`, by field of the API, that differ."""
        raise NotImplementedError

    def remove(self, row: Any, reason: str) -> None:  # noqa: ANN401 - any model's
        """Delete `row`."""
        raise NotImplementedError

    def create(self, request: Request) -> Response:
        """Make one, or all of a list or none."""
        many = self.takes_lists and isinstance(request.data, list)
        serializer = self.get_serializer(data=request.data, many=many)
        serializer.is_valid(raise_exception=True)
        rows = serializer.validated_data if many else [serializer.validated_data]
        try:
            with transaction.atomic():
                made = self.make_all(rows)
        except RowFault as refusal:
            errors = self.errors_of(refusal.fault)
            raise ValidationError(_numbered(errors, refusal.index) if many else errors) from refusal
        shown = self.again(made)
        return Response(self.get_serializer(shown if many else shown[0], many=many).data, status=201)

    def make_all(self, rows: list[dict[str, Any]]) -> list[Any]:
        """Make one of each of `rows`, or none.

        Raises:
            RowFault: one of them cannot be made.
        """
        made = []
        for index, values in enumerate(rows):
            try:
                made.append(self.make(values))
            except (ModelFault, ValidationError) as fault:
                raise RowFault(index, fault) from fault
        return made

    def again(self, made: list[Any]) -> list[Any]:
        """What was made, as a list shows it."""
        rows = {row.pk: row for row in self.get_queryset().filter(pk__in=[row.pk for row in made])}
        return [rows[row.pk] for row in made]

    def errors_of(self, fault: Exception) -> dict[str, list[str]]:
        """Words by field of the API."""
        return of_model(fault, self.renamed) if isinstance(fault, ModelFault) else flat(getattr(fault, "detail", []))

    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change what differs; nothing else is recorded."""
        del kwargs
        with transaction.atomic():
            row = self.found(locked=True)
            serializer = cast("Strict", self.get_serializer(row, data=request.data, partial=True))
            serializer.is_valid(raise_exception=True)
            values = serializer.changes()
            touches = bool(self.access_fields & values.keys())
            reason = required_reason(request) if touches else given_reason(request)
            if values:
                self.change(row, values, reason)
        return self.shown(row)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Remove it."""
        del kwargs
        with transaction.atomic():
            row = self.found(locked=True)
            self.remove(row, required_reason(request))
        return Response(status=204)


class GivenOnce(Writable):
    """Of credentials: the answer to POST alone carries the secret; deleting one refuses it for good."""

    # The row stays, because events name its number
    deeds = {"destroy": "change"}

    def give(self, values: dict[str, Any]) -> tuple[Model, str]:
        """Make one of checked `values`: its row and its secret."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        """Those that were not taken away."""
        return super().get_queryset().filter(revoked_at=None)

    def create(self, request: Request) -> Response:
        """Make one, and show its secret this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row, secret = self.give(serializer.validated_data)
        return Response(self.get_serializer(row).data | {"secret": secret}, status=201)


@extend_schema(exclude=True)
class NothingThere(APIView):
    """An address of the API that leads nowhere, refused as everything else is."""

    http_method_names = [*METHODS]
    permission_classes = (IsStaff,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever the method.

        Raises:
            Http404: always, to staff.
        """
        super().initial(request, *args, **kwargs)
        raise Http404


def routes(view: type[Readable]) -> list[URLPattern]:
    """The addresses of a resource: its list, and one object by its key."""
    of_list: dict[str, Any] = {"get": "list"} | ({"post": "create"} if issubclass(view, Writable) else {})
    of_one: dict[str, Any] = {"get": "retrieve"}
    if issubclass(view, Writable):
        of_one |= {"patch": "partial_update", "delete": "destroy"}
    return [
        path(f"{view.resource}/", view.as_view(of_list), name=f"manage-{view.resource}"),
        path(one(view), view.as_view(of_one), name=f"manage-{view.resource}-one"),
    ]


def one(view: type[Readable]) -> str:
    """The address of one object, as Django writes it."""
    return f"{view.resource}/<{view.key_converter}:{view.lookup_field}>/"


def action(view: type[Readable], name: str, *, method: str = "post") -> URLPattern:
    """What is done to one object beside changing it."""
    return path(f"{one(view)}{name}/", view.as_view({method: name}), name=f"manage-{view.resource}-{name}")


def _numbered(errors: Mapping[str, list[str]], index: int) -> dict[str, list[str]]:
    return {f"{index}.{name}": words for name, words in errors.items()}
