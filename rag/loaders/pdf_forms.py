"""The filled fields of a PDF form, which are no part of the page's text: they are drawn over it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_PASSWORD_FLAG = 1 << 13
_MAX_FIELDS = 10_000
_MAX_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Field:
    """A filled field as one line, and the height of its middle above the bottom of the page, in points."""

    text: str
    height: float


def open_forms(document: PdfDocument) -> None:
    """Prepare the reading of form fields; nothing happens without a form. Call it before a page is opened."""
    import pypdfium2

    try:
        document.init_forms()
    except pypdfium2.PdfiumError:  # a damaged form: the text of the pages can still be read
        return


def filled_fields(document: PdfDocument, page: PdfPage) -> list[Field]:
    """Return the filled fields of a page, from its top to its bottom; none without a form.

    A box that can be ticked says `checked` or `not checked`; of options, the chosen one is named.
    """
    from pypdfium2 import raw

    if not document.formenv:
        return []
    fields: list[Field] = []
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_FIELDS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
                fields += _field(document.formenv, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return sorted(fields, key=lambda field: -field.height)


def _field(forms: Any, annotation: Any) -> Iterator[Field]:
    from pypdfium2 import raw

    value = _value(forms, annotation)
    if not value:
        return
    name = _text(raw.FPDFAnnot_GetFormFieldAlternateName, forms, annotation)
    name = name or _text(raw.FPDFAnnot_GetFormFieldName, forms, annotation)
    box = raw.FS_RECTF()
    height = (box.top + box.bottom) / 2 if raw.FPDFAnnot_GetRect(annotation, box) else 0.0
    yield Field(f"{name}: {value}" if name else value, height)


def _value(forms: Any, annotation: Any) -> str:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(forms, annotation)
    if kind == raw.FPDF_FORMFIELD_CHECKBOX:
        return "checked" if raw.FPDFAnnot_IsChecked(forms, annotation) else "not checked"
    if kind == raw.FPDF_FORMFIELD_RADIOBUTTON:
        is_checked = raw.FPDFAnnot_IsChecked(forms, annotation)
        return _text(raw.FPDFAnnot_GetFormFieldExportValue, forms, annotation) if is_checked else ""
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return _chosen(forms, annotation) or _text(raw.FPDFAnnot_GetFormFieldValue, forms, annotation)
    is_password = raw.FPDFAnnot_GetFormFieldFlags(forms, annotation) & _PASSWORD_FLAG
    if kind != raw.FPDF_FORMFIELD_TEXTFIELD or is_password:
        return ""
    return _text(raw.FPDFAnnot_GetFormFieldValue, forms, annotation)


def _chosen(forms: Any, annotation: Any) -> str:
    """Return the labels of the chosen options; the value itself may be a code."""
    from pypdfium2 import raw

    labels = []
    for index in range(min(max(raw.FPDFAnnot_GetOptionCount(forms, annotation), 0), _MAX_FIELDS)):
        if raw.FPDFAnnot_IsOptionSelected(forms, annotation, index):

            def label(forms: Any, annotation: Any, buffer: Any, size: int, index: int = index) -> int:
                return int(raw.FPDFAnnot_GetOptionLabel(forms, annotation, index, buffer, size))

            labels.append(_text(label, forms, annotation))
    return ", ".join(filter(None, labels))


def _text(read: Callable[[Any, Any, Any, int], int], forms: Any, annotation: Any) -> str:
    """Return a text that pdfium writes as UTF-16 into a buffer, on one line."""
    size = min(read(forms, annotation, None, 0), 2 * _MAX_CHARS)
    if size <= 2:  # the terminator alone
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    read(forms, annotation, buffer, size)
    return " ".join(bytes(buffer)[: size - 2].decode("utf-16-le", "replace").split())
