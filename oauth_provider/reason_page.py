"""The page that says what is about to happen and asks why, before it happens."""

from dataclasses import dataclass

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from oauth_provider.recorded_admin import REASON_MAX

Words = Promise | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`title` asks, `consequences` say what follows, `button` names the act; `back` is where Cancel leads.

    `hidden` travels with the form: names and values, for acts that need more than the address.
    """

    title: Words
    consequences: tuple[Words, ...]
    button: Words
    back: str
    is_danger: bool = True
    hidden: tuple[tuple[str, str], ...] = ()


class ReasonForm(forms.Form):
    """One line, kept in the ledger with the act."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("Kept in the audit log. The person concerned may read it too."),
    )


def ask_reason(
    page: "ModelAdmin[object]", request: HttpRequest, question: Question, *, is_answer: bool
) -> str | HttpResponse:
    """The reason when `request` brings one (`is_answer`: it was sent from this page), else the page that asks."""
    form = ReasonForm(request.POST if is_answer else None)
    if is_answer and form.is_valid():
        return str(form.cleaned_data["reason"])
    context = {
        **page.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "form": form,
        "opts": page.opts,
    }
    return TemplateResponse(request, "admin/reason.html", context)
