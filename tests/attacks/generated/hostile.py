"""What strangers send: values that are nearly right, quite wrong, or meant to do harm."""

from urllib.parse import quote_plus

from hypothesis import strategies as st

# Seen again on a page, it was not escaped
MARKUP = "<x-hostile>"
PIECES = (
    MARKUP,
    f"\"'>{MARKUP}",
    f"</title>{MARKUP}",
    f"javascript:'{MARKUP}'",
    "{{ 7*7 }}{% now %}",
    "' OR 1=1 --",
    "https://evil.example/cb",
    "//evil.example",
    "/\\evil.example",
    "https://client.example/callback@evil.example",
    "https://client.example/callback",
    "http://127.0.0.1:9/cb",
    "http://127.0.0.1:99999/cb",
    "http://[::1",
    "http://[/cb",
    "\x00",
    "\r\nSet-Cookie: hostile=1",
    "\u202egpj.exe",
    "\ud800",
    "\U0010ffff",
    "%00%ff%",
    "tool:read tool:write",
    "code",
    "none",
    "S256",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "-1",
    "99999999999999999999999",
    "NaN",
    "en pt-BR x-y",
    "a" * 300,
    "é" * 5000,
)

words = st.sampled_from(PIECES) | st.text(max_size=40)
values = words | st.lists(words, max_size=3).map("".join)


def pairs(names: tuple[str, ...]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Parameters, most of them known, some twice, some unheard of."""
    known = st.tuples(st.sampled_from(names), values)
    unknown = st.tuples(words, values)
    return st.lists(known | known | known | unknown, max_size=len(names))


def encoded(sent: list[tuple[str, str]]) -> str:
    """As a form; half a surrogate pair goes out as the three bytes that no decoder likes."""
    return "&".join("=".join(quote_plus(text.encode("utf-8", "surrogatepass")) for text in pair) for pair in sent)


def bodies(names: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """A form, or anything."""
    form = pairs(names).map(encoded).map(str.encode)
    return form | form | form | st.binary(max_size=200)


TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", "")
types = st.sampled_from((TYPES[0],) * 6 + TYPES[1:])
