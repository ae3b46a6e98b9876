import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.redaction import shown_reason, shown_url, url_secrets

KEYS = [
    "sk-proj-abc123def456",
    "sk-ant-api03-xyz",
    "Bearer abcdef123456",
    "Authorization: Basic dXNlcjpwYXNz",
    "api_key=abc123",
    "API key: 12345abc",
    '"password": "hunter22"',
    "hf_abcdefgh1234",
    "gsk_abcdefgh1234",
    "AIzaSyA1234567890",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc",
    "0123456789abcdef0123456789abcdef01234567",
    "sk-ab***********xyz",
]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("https://user:pa55@host.example/v1", "https://host.example/v1"),
        ("https://user@host:1/v1?key=s3cret#x", "https://host:1/v1"),
        ("https://pa55@host", "https://host"),
        ("http://u:p@ss@host/v1", "http://host/v1"),
        ("http://u:p/ss@host/v1", "http://host/v1"),
        ("ftp://u:p@host", "ftp://host"),
        ("u:p@host/v1", "host/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(url, shown):
    assert shown_url(url) == shown


@pytest.mark.parametrize("key", KEYS)
def test_what_looks_like_a_key_is_not_shown(key):
    shown = shown_reason(f"Incorrect {key} given.")
    assert "***" in shown
    assert key.split()[-1].strip('"') not in shown


def test_a_reason_is_one_short_line_without_secrets_addresses_and_quotes():
    message = "no\n\x1b[31m http://u:p@h/v1?key=1 own-key, The plan of the company is secret, who is Bo? " + "x y " * 99
    shown = shown_reason(message, ["own-key"], ["The plan of the company is secret.", "who is Bo?"])
    assert shown.startswith("no [31m http://h/v1 ***, …, … x y")
    assert len(shown) == 200


def test_ordinary_reasons_stay():
    for reason in (
        "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.69 GiB total capacity)",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "The model `meta-llama/Llama-3.1-8B-Instruct` does not exist.",
    ):
        assert shown_reason(reason, ["k3y"], ["a question"]) == reason


@given(st.text(), st.text(min_size=3), st.text())
def test_a_secret_never_passes(before, secret, after):
    line = " ".join(secret.split())
    shown = shown_reason(f"{before} {secret} {after}", [secret, line])
    assert "\n" not in shown
    assert len(shown) <= 200


def test_secrets_of_an_address_are_known_in_both_spellings():
    assert {"pa%24s", "pa$s", "k3y"} <= set(url_secrets("http://user:pa%24s@host/v1?key=k3y"))
    assert url_secrets("http://host/v1") == []
