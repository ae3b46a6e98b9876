"""Formats that are recognised and not read, each with what to do instead."""

from __future__ import annotations

from rag.errors import UnsupportedFileError

_ARCHIVE = "Unpack it and upload the files inside."
_IMAGE = "Run text recognition on it and upload a PDF with a text layer."
_MEDIA = "Transcribe it and upload the text."
_OFFICE = "Save it as DOCX or PDF."
_DATA = "Export it as CSV or JSONL."
_PROGRAM = "Upload its source code or documentation instead."

_TEXTUAL: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"{\\rtf", "an RTF document", _OFFICE),
    (0, b"%!PS-Adobe", "a PostScript file", "Convert it to PDF."),
    (0, b"SIMPLE  =                    T", "a FITS image or table", _DATA),
    (0, b"-----BEGIN PGP MESSAGE-----", "an encrypted message", "Decrypt it first."),
)
"""Formats that begin as text does: where the mark stands, the mark, what the file is, and what to do instead."""
_BINARY: tuple[tuple[int, bytes, str, str], ...] = (
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
    (0, b"SQLite format 3\x00", "an SQLite database", _DATA),
    (0, b"PAR1", "a Parquet table", _DATA),
    (0, b"ARROW1", "an Arrow table", _DATA),
    (0, b"\x89HDF\r\n", "an HDF5 file", _DATA),
    (0, b"\x93NUMPY", "a NumPy array", _DATA),
    (0, b"\x80\x04\x95", "a Python pickle", _DATA),
    (0, b"\x7fELF", "a program", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", "compiled code", _PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", "a program", _PROGRAM),
    (0, b"\x00asm", "compiled code", _PROGRAM),
    (0, b"wOF2", "a font", _PROGRAM),
    (0, b"OTTO", "a font", _PROGRAM),
    (0, b"\xd7\xcd\xc6\x9a", "a WMF drawing", _IMAGE),
    (0, b"\x01\x00\x09\x00\x00\x03", "a WMF drawing", _IMAGE),
    (40, b" EMF", "an EMF drawing", _IMAGE),
    (0, b"BM", "a BMP image", _IMAGE),
    (0, b"\x00\x00\x01\x00", "an icon", _IMAGE),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image", _IMAGE),
    (128, b"DICM", "a DICOM image", _IMAGE),
    (0, b"LZIP", "an lzip archive", _ARCHIVE),
    (0, b"MSCF", "a cabinet archive", _ARCHIVE),
    (0, b"!<arch>\n", "an archive of compiled code", _ARCHIVE),
    (0, b"ITSF", "a compiled help file", "Convert it to HTML or PDF."),
    (60, b"BOOKMOBI", "a Mobipocket book", "Convert it to HTML or PDF."),
    (0, b"MM\x00+", "a BigTIFF image", _IMAGE),
    (0, b"MZ", "a Windows program", _PROGRAM),
    (0, b"dex\n", "compiled code", _PROGRAM),
    (0, b"\xfe\xed\xfa", "a program", _PROGRAM),
    (0, b"\x00\x01\x00\x00\x00", "a font", _PROGRAM),
    (0, b"wOFF", "a font", _PROGRAM),
    (0, b"bplist00", "a binary property list", _DATA),
    (0, b"\xd4\xc3\xb2\xa1", "a capture of a network", _DATA),
    (0, b"Obj\x01", "an Avro table", _DATA),
    (0, b"CDF", "a NetCDF file", _DATA),
)
"""The same for formats that have bytes which no text has; their marks alone may open a text too."""


def refuse_known(head: bytes, is_text: bool) -> None:
    """Refuse the first bytes of a file in one of these formats.

    Raises:
        UnsupportedFileError: What it is, and what to do instead.
    """
    for offset, mark, description, remedy in _TEXTUAL if is_text and _is_plain(head) else (*_TEXTUAL, *_BINARY):
        if head.startswith(mark, offset):
            raise UnsupportedFileError(f"Found {description}, which has no text to read directly. {remedy}")


def _is_plain(head: bytes) -> bool:
    """True when the bytes may be text that happens to begin with a mark: printable, and UTF-8 up to a cut character."""
    return b"\x00" not in head and head[:-3].decode("utf-8", "replace").count("\ufffd") == 0
