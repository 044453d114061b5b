"""Ana is signed in, everybody may come with a document, and the internet is ours."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from oauth_provider.registration.models import Mode, RegistrationPolicy
from oauth_provider.resources.registry import register
from oauth_provider.scopes.models import Scope
from tests.internet import Internet
from tests.oauth_provider.registration.documents.world import DocumentWorld


@pytest.fixture
def world(db: None, internet: Internet) -> DocumentWorld:
    """With two permissions that self-made clients may ask for."""
    del db
    for name, sensitivity in (("tool:read", "normal"), ("tool:write", "write")):
        values = {"title": name, "sensitivity": sensitivity, "enabled": True, "self_registration": True}
        Scope.objects.update_or_create(name=name, defaults=values)
    resource = register(path="/api/v1/echo", title="Echo")
    RegistrationPolicy.objects.create(
        pk=RegistrationPolicy.SINGLETON, document_mode=Mode.OPEN, default_resource=resource.path
    )
    ana = get_user_model().objects.create_user("ana-d", password="correct horse")
    browser = Browser()
    browser.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    return DocumentWorld(browser, internet, resource)
