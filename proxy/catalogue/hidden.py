"""An operation that another one hides would never be called."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from proxy.catalogue.mcp_backends.features import OPENED_ALREADY
from proxy.catalogue.models import Operation
from proxy.catalogue.rpc_methods import answered


def check_not_hidden(operation: Operation) -> None:
    """Refuse an operation whose method and path another one of its backend answers.

    Raises:
        ValidationError: of its path, or of the name of what it opens.
    """
    others = Operation.objects.filter(backend_id=operation.backend_id, path=operation.path).exclude(pk=operation.pk)
    words = []
    _own, taken = answered(operation)
    for other in others:
        if shared := sorted(set(taken) & set(answered(other)[0])):
            names = {"methods": ", ".join(shared), "name": other.operation_id}
            words.append(_("%(name)s answers %(methods)s at this path already.") % names)
    if words:
        raise ValidationError({"feature_name": [OPENED_ALREADY]} if operation.feature else {"path": words})
