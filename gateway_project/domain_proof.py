"""What a company shows others to prove that this domain is its own."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def openai_apps_challenge(_request: HttpRequest) -> HttpResponse:
    """The token that OpenAI gave when an app was submitted, alone and as text (OpenAI's Apps SDK, submission).

    Raises:
        Http404: there is none.
    """
    token: str = settings.ENVIRONMENT.OPENAI_APPS_CHALLENGE
    if not token:
        raise Http404
    return HttpResponse(token, content_type="text/plain; charset=utf-8")
