"""Where the user of a call is named to a backend: what is wrong with the headers and the parameter staff chose."""

from django.utils.translation import gettext

from proxy.catalogue.credentials import Credential, QueryCredential
from proxy.catalogue.header_names import HEADER_NAME, UNNAMEABLE, folded
from proxy.catalogue.parameters import PARAMETER_NAME, folded_parameter


def identity_header_faults(identity_headers: object, credential_header: str) -> dict[str, list[str]]:
    """Why `identity_headers` cannot be used beside the header of the credential, by field."""
    faults: dict[str, list[str]] = {}
    names = identity_headers if isinstance(identity_headers, list) else [None]
    if not all(isinstance(name, str) and HEADER_NAME.match(name) and name.lower() not in UNNAMEABLE for name in names):
        faults["identity_headers"] = [gettext("A list of header names made of letters, digits and -.")]
        names = []
    elif len(set(map(folded, names))) != len(names):
        faults["identity_headers"] = [gettext("The same header twice.")]
    if credential_header and folded(credential_header) in map(folded, names):
        faults["credential"] = [gettext("This header carries the user already.")]
    return faults


def identity_query_faults(identity_query: str, credential: Credential | None) -> dict[str, list[str]]:
    """Why the parameter cannot be used beside that of the credential, by field."""
    if identity_query and not PARAMETER_NAME.match(identity_query):
        return {"identity_query": [gettext("A name made of letters, digits and . _ ~ -.")]}
    taken = folded_parameter(credential.name) if isinstance(credential, QueryCredential) else ""
    if identity_query and folded_parameter(identity_query) == taken:
        return {"credential": [gettext("This parameter carries the user already.")]}
    return {}
