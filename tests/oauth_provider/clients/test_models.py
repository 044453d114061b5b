"""Facts about a client: who is spared PKCE, and nobody else."""

import pytest

from oauth_provider.clients.models import Client, Preset

GPT = ("https://chat.openai.com/aip/g-demo/oauth/callback", "https://chatgpt.com/aip/g-demo/oauth/callback")


@pytest.mark.parametrize(
    ("preset", "client_type", "redirect_uris", "required"),
    [
        (Preset.GPT, "confidential", GPT, False),
        (Preset.GPT, "public", GPT, True),
        (Preset.OTHER, "confidential", GPT, True),
        (Preset.GPT, "confidential", (), True),
        (Preset.GPT, "confidential", (*GPT, "https://example.com/callback"), True),
        (Preset.GPT, "confidential", ("https://chatgpt.com.evil.example/aip/g-demo/oauth/callback",), True),
        (Preset.GPT, "confidential", ("https://chatgpt.com/aip/g-demo/oauth/callback/..",), True),
        (Preset.GPT, "confidential", ("http://chatgpt.com/aip/g-demo/oauth/callback",), True),
    ],
)
def test_only_confidential_gpt_actions_are_spared_pkce(
    preset: Preset, client_type: str, redirect_uris: tuple[str, ...], required: bool
) -> None:
    client = Client(preset=preset, client_type=client_type, redirect_uris=" ".join(redirect_uris))
    assert client.requires_pkce is required
