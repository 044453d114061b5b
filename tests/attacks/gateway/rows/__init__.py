"""The rows, one module a letter; importing them fills the table in its order."""

from tests.attacks.gateway.rows import (  # noqa: F401 - imported for what they register
    a_framing,
    b_connection,
    c_identity,
    d_paths,
    e_tokens,
    f_exhaustion,
    g_outbound,
    h_answers,
    i_audit,
)
