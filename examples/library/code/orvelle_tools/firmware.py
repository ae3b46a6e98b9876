"""Firmware images (.oki): header, check sum and the rules for going back."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

MAGIC = b"OKI1"
_HEADER = struct.Struct(">4s8sBBBxI32s")


@dataclass(frozen=True)
class Image:
    """What the header of an image says."""

    model: str
    version: tuple[int, int, int]
    length: int
    digest: bytes


def read_header(data: bytes) -> Image:
    if len(data) < _HEADER.size:
        raise ValueError("E31: file too short")
    magic, model, major, minor, patch, length, digest = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ValueError("E31: not an image of Orvelle")
    return Image(model.rstrip(b"\0").decode("ascii"), (major, minor, patch), length, digest)


def verify_image(data: bytes, model: str) -> Image:
    """Return the header of an intact image for this model.

    Raises:
        ValueError: Another model, a truncated file or a digest that does not fit.
    """
    image = read_header(data)
    body = data[_HEADER.size :]
    if image.model != model:
        raise ValueError(f"E31: image for {image.model}, this is {model}")
    if len(body) != image.length:
        raise ValueError("E31: file was cut off")
    if not hmac.compare_digest(hashlib.sha256(body).digest(), image.digest):
        raise ValueError("E31: check sum is wrong")
    return image


def may_install(installed: tuple[int, int, int], offered: tuple[int, int, int]) -> bool:
    """True for newer versions, and for older ones of the same main number from 4.4 on."""
    if offered >= installed:
        return True
    return offered[0] == installed[0] and offered >= (4, 4, 0)
