"""From what staff paste to both of ChatGPT's callbacks."""

import pytest

from oauth_provider.clients.models import CHATGPT_ACTION_CALLBACK, Client, Preset
from oauth_provider.clients.presets import PRESETS, gpt_callbacks
from oauth_provider.clients.redirect_uris import check_redirect_uris

BOTH = ("https://chat.openai.com/aip/g-abc/oauth/callback", "https://chatgpt.com/aip/g-abc/oauth/callback")


@pytest.mark.parametrize(
    "pasted",
    [
        "g-abc",
        "  g-abc \n",
        BOTH[0],
        BOTH[1],
        "https://chatgpt.com/g/g-abc",
        "https://chatgpt.com/g/g-abc-career-copilot",
        "https://chatgpt.com/g/g-abc/c/1234",
        "https://chatgpt.com/gpts/editor/g-abc",
        "https://chat.openai.com/g/g-abc?model=x#y",
    ],
)
def test_both_callbacks_are_derived(pasted: str) -> None:
    assert gpt_callbacks(pasted) == BOTH


@pytest.mark.parametrize("pasted", ["", "   ", "\n"])
def test_nothing_pasted_is_nothing_yet(pasted: str) -> None:
    assert gpt_callbacks(pasted) == ()


@pytest.mark.parametrize(
    "pasted",
    [
        "hello",
        "https://chatgpt.com/",
        "g_abc",
        "g-",
        "https://example.com/callback",
        "g-a/../b",
        "g-a b",
        "g-\x00",
        "G-abc",
    ],
)
def test_what_names_no_gpt_is_refused(pasted: str) -> None:
    try:
        found = gpt_callbacks(pasted)
    except ValueError:
        return
    assert all(CHATGPT_ACTION_CALLBACK.fullmatch(uri) for uri in found)


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_has_words_and_addresses_that_may_be_registered(preset: Preset) -> None:
    values = PRESETS[preset]
    assert str(values.words)
    check_redirect_uris(list(values.redirect_uris), public=values.client_type == Client.CLIENT_PUBLIC)
