"""How often the authorization server may be asked: the one table of it (contract, section 2).

Free of Django, because the environment is checked by it before there are settings.
"""

import re
from collections.abc import Iterable, Mapping

# Requests per second, minute, hour or day
RATE = re.compile(r"\A[1-9][0-9]{0,6}/[smhd]\Z")

DEFAULT_RATES: Mapping[str, str] = {
    "authorize": "120/m",
    "token": "120/m",
    "failed_client": "30/m",
    "revoke": "300/m",
    "introspect": "300/m",
    "device": "60/m",
    # Guesses of a code that somebody else is shown (RFC 8628 section 5.1), by address and by person
    "user_code": "10/m",
    "userinfo": "300/m",
    "signin": "20/m",
    "webhook": "300/m",
    # Two windows: a burst of new connections is normal, a steady stream of them is not
    "register": "30/m",
    "register_hourly": "150/h",
    # Metadata documents asked for on behalf of one address, and of one host
    "document": "20/m",
    "document_host": "30/m",
}


def rates_with(changes: Iterable[str]) -> dict[str, str]:
    """The table with a deployment's changes, each written `name=count/unit`, such as `token=600/m`.

    Raises:
        ValueError: a change names no rate of the table, or is none.
    """
    rates = dict(DEFAULT_RATES)
    for change in changes:
        name, _equals, rate = change.partition("=")
        if name not in rates or not RATE.match(rate):
            raise ValueError(
                f"{change!r} must look like token=600/m: one of {', '.join(DEFAULT_RATES)}, a number, and s, m, h or d"
            )
        rates[name] = rate
    return rates
