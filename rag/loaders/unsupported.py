"""Formats that are recognised and not read, each with what to do instead."""

from __future__ import annotations

_ARCHIVE = "Unpack it and upload the files inside."
_IMAGE = "Run text recognition on it and upload a PDF with a text layer."
_MEDIA = "Transcribe it and upload the text."
_OFFICE = "Save it as DOCX or PDF."
_DATA = "Export it as CSV or JSONL."
_PROGRAM = "Upload its source code or documentation instead."

SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "a gzip archive", _ARCHIVE),
    (0, b"BZh", "a bzip2 archive", _ARCHIVE),
    (0, b"\xfd7zXZ\x00", "an xz archive", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _ARCHIVE),
    (0, b"Rar!\x1a\x07", "a RAR archive", _ARCHIVE),
    (257, b"ustar", "a tar archive", _ARCHIVE),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", _IMAGE),
    (0, b"\xff\xd8\xff", "a JPEG image", _IMAGE),
    (0, b"GIF87a", "a GIF image", _IMAGE),
    (0, b"GIF89a", "a GIF image", _IMAGE),
    (0, b"II*\x00", "a TIFF image", _IMAGE),
    (0, b"MM\x00*", "a TIFF image", _IMAGE),
    (8, b"WEBP", "a WebP image", _IMAGE),
    (4, b"ftypheic", "a HEIC image", _IMAGE),
    (0, b"8BPS", "a Photoshop image", _IMAGE),
    (0, b"AT&TFORM", "a DjVu file", _IMAGE),
    (8, b"WAVE", "a WAV recording", _MEDIA),
    (8, b"AVI ", "an AVI video", _MEDIA),
    (0, b"ID3", "an MP3 recording", _MEDIA),
    (0, b"\xff\xfb", "an MP3 recording", _MEDIA),
    (0, b"fLaC", "a FLAC recording", _MEDIA),
    (0, b"OggS", "an Ogg recording", _MEDIA),
    (4, b"ftyp", "an MP4 video or recording", _MEDIA),
    (0, b"\x1aE\xdf\xa3", "a Matroska video", _MEDIA),
    (0, b"{\\rtf", "an RTF document", _OFFICE),
    (0, b"%!PS", "a PostScript file", "Convert it to PDF."),
    (0, b"SQLite format 3\x00", "an SQLite database", _DATA),
    (0, b"PAR1", "a Parquet table", _DATA),
    (0, b"ARROW1", "an Arrow table", _DATA),
    (0, b"\x89HDF\r\n", "an HDF5 file", _DATA),
    (0, b"\x93NUMPY", "a NumPy array", _DATA),
    (0, b"\x80\x04\x95", "a Python pickle", _DATA),
    (0, b"\x7fELF", "a program", _PROGRAM),
    (0, b"MZ\x90\x00", "a Windows program", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", "compiled code", _PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", "a program", _PROGRAM),
    (0, b"\x00asm", "compiled code", _PROGRAM),
    (0, b"wOF2", "a font", _PROGRAM),
    (0, b"OTTO", "a font", _PROGRAM),
)
"""Where its mark stands, the mark, what the file is, and what to do instead; for each format."""
