"""The page that says what is about to happen and asks why, before it happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from oauth_provider.admin_skin import Words
from oauth_provider.identities.external_id import user_ref
from oauth_provider.recorded_admin import REASON_MAX, RecordedAdmin


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`title` asks, `consequences` say what follows, `button` names the act, `done` is said after it.

    `is_told`: the person concerned reads the reason too.
    """

    title: Words
    consequences: tuple[Words, ...]
    button: Words
    done: Words = ""
    is_danger: bool = True
    is_told: bool = False


class ReasonForm(forms.Form):
    """One line, kept in the ledger with the act."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("Kept in the audit log."),
    )


def ask_reason(page: RecordedAdmin, request: HttpRequest, obj: Any, question: Question) -> str | HttpResponse:  # noqa: ANN401 - any model's
    """The reason when `request` brings one, else the page that asks for it."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if question.is_told:
        form.fields["reason"].help_text = _("Kept in the audit log, and shown to the person concerned.")
    answered = ask(page, request, obj, question, form)
    return answered if isinstance(answered, HttpResponse) else str(answered["reason"])


def act_with_reason(
    page: RecordedAdmin,
    request: HttpRequest,
    obj: Any,  # noqa: ANN401 - any model's
    question: Question,
    verb: Callable[..., object],
) -> HttpResponse:
    """Ask why; then call `verb` with who acts and the reason, and go back to the object's page."""
    reason = ask_reason(page, request, obj, question)
    if not isinstance(reason, str):
        return reason
    verb(actor=user_ref(request.user), reason=reason)
    messages.success(request, str(question.done))
    return HttpResponseRedirect(page.page_of(obj))


def ask(
    page: RecordedAdmin,
    request: HttpRequest,
    obj: Any,  # noqa: ANN401 - any model's
    question: Question,
    form: ReasonForm,
) -> dict[str, Any] | HttpResponse:
    """What `form` was answered when it is complete, else the page that asks it."""
    if form.is_valid():
        return form.cleaned_data
    context = {
        **page.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "back": page.page_of(obj),
        "form": form,
        "opts": page.opts,
        "original": obj,
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/reason.html", context)
