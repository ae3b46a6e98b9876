"""What a point carries beside its vectors: fields for filters, the BM25 terms, and the rest as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rag.index.analyser import analyse
from rag.types import Chunk, Payload

KEYWORDS = ("workspace", "version", "document", "content", "name")
"""Fields with an exact-match index, made when the collection is."""
TERMS = "terms"
"""Field with the BM25 index: analysed terms between spaces."""
BODY = "body"
"""Field with everything else, read back only for points that are returned."""
RETURNED = [*KEYWORDS, BODY]
"""What searches and scrolls read back: all but the terms."""


def encode(payload: Payload, analyser: str) -> dict[str, str]:
    """Plain strings by field name; `decode` gives the payload back, but for the chunk's `inputs`."""
    chunk = payload.chunk
    body = [
        payload.name,
        payload.key,
        payload.title,
        payload.media_type,
        payload.language,
        chunk.ordinal,
        chunk.start,
        chunk.end,
        chunk.text,
        chunk.headings,
        chunk.page_start,
        chunk.page_end,
        chunk.line_start,
        chunk.line_end,
        chunk.symbol,
        chunk.answer,
        chunk.summary,
    ]
    return {
        "workspace": payload.workspace,
        "version": payload.version,
        "document": payload.document,
        "content": payload.content,
        "name": keyword(payload.name),
        TERMS: " ".join(analyse(bm25_text(payload), analyser)),
        BODY: _json(body),
    }


def decode(stored: Mapping[str, object]) -> Payload:
    """The payload that `encode` wrote, with empty `inputs`."""
    name, key, title, media_type, language, *rest = json.loads(str(stored[BODY]))
    ordinal, start, end, text, headings, page_start, page_end, line_start, line_end, symbol, answer, summary = rest
    return Payload(
        workspace=str(stored["workspace"]),
        version=str(stored["version"]),
        document=str(stored["document"]),
        content=str(stored["content"]),
        name=name,
        key=key,
        title=title,
        media_type=media_type,
        language=language,
        chunk=Chunk(
            ordinal=ordinal,
            start=start,
            end=end,
            text=text,
            inputs=(),
            headings=tuple(headings),
            page_start=page_start,
            page_end=page_end,
            line_start=line_start,
            line_end=line_end,
            symbol=symbol,
            answer=answer,
            summary=summary,
        ),
    )


def bm25_text(payload: Payload) -> str:
    """What BM25 reads of a chunk: title, headings, symbol, the text and, when there is one, the summary."""
    chunk = payload.chunk
    return "\n".join(part for part in (payload.title, *chunk.headings, chunk.symbol, chunk.text, chunk.summary) if part)


def keyword(name: str) -> str:
    """A file name as filters compare it: code units that are no text are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _json(body: list[object]) -> str:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"))
    return text
