"""What others say and where they live, as a person and a log may see it.

A body of an error is never shown as it came: it may hold the key, the prompt or a page of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

_REASON_CHARS = 200
_SHARED_CHARS = 16
"""A stretch of this many characters that a message shares with the request is taken to be quoted from it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_USERINFO = re.compile(r"(?<=://)[^\s/?#@]*:?[^\s/?#]*@")
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*")
_SECRET = re.compile(
    r"\b(?:bearer|basic|token)\s+[\w.+/=*~-]{6,}"  # as in an Authorization header
    r"|\b(?:api[-_ ]?key|secret|password|passwd)\b[\"']?\s*[:=]\s*[\"']?[^\s\"',;]+"
    r"|\b(?:sk|pk|rk|gsk|hf|xai|ghp|nvapi|pplx|tgp|r8)[-_][\w*.-]{4,}"  # as providers begin their keys
    r"|\b(?:AIza|eyJ)[\w.*-]{10,}"
    r"|[\w*-]{40,}",
    re.IGNORECASE,
)


def shown_url(url: str) -> str:
    """Return an address as messages may show it: without user, password, query and fragment."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = bare.partition("://")
    try:
        _ = urlsplit(bare).port
        authority, slash, path = rest.partition("/")
    except ValueError:  # an unescaped character of the password ends the host too early
        authority, slash, path = rest, "", ""
    return scheme + separator + authority.rpartition("@")[2] + slash + path if separator else bare.rpartition("@")[2]


def shown_reason(message: str, secrets: Iterable[str] = (), private: Iterable[str] = ()) -> str:
    """Return an endpoint's own words as a person may see them, on one line of at most 200 characters.

    Args:
        message: What the endpoint said.
        secrets: Keys and passwords that it was sent; they, and what looks like one, become `***`.
        private: Texts that it was sent; what the message quotes of them becomes an ellipsis.
    """
    line = " ".join(_CONTROL.sub(" ", message).split())
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "***")
    for text in private:
        line = _without_quotes(line, " ".join(text.split()))
    line = _QUERY.sub("", _USERINFO.sub("", line))
    line = _SECRET.sub("***", line)
    return line if len(line) <= _REASON_CHARS else line[: _REASON_CHARS - 1].rstrip() + "…"


def url_secrets(url: str) -> list[str]:
    """Return what an address holds that nobody else may see: password and query."""
    query = url.partition("?")[2]
    parts = (userinfo(url), userinfo(url).partition(":")[2], query, *(value for _, value in parse_qsl(query)))
    return [form for part in parts for form in {part, unquote(part)} if len(form) > 2]


def userinfo(url: str) -> str:
    """Return what stands before the host of an address: user and password."""
    return url.partition("://")[2].partition("?")[0].partition("/")[0].rpartition("@")[0]


def _without_quotes(message: str, text: str) -> str:
    """Put an ellipsis for every stretch of the message that stands in the text word for word."""
    if 4 <= len(text) < _SHARED_CHARS:
        return message.replace(text, "…")
    parts, i = list[str](), 0
    while i < len(message):
        end = i + _SHARED_CHARS
        if end > len(message) or message[i:end] not in text:
            parts.append(message[i])
            i += 1
            continue
        while end < len(message) and message[i : end + 1] in text:
            end += 1
        parts.append("…")
        i = end
    return "".join(parts)
