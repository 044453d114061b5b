"""Read the revisions: the one statement every worker polls."""

from oauth_provider.revisions.models import Revision


def read_all() -> dict[str, int]:
    """Every revision by name; a name that never moved is absent."""
    return dict(Revision.objects.values_list("name", "value"))
