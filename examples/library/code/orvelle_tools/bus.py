"""Frames on the RS-485 sensor bus: address, function, length, payload and two bytes of check sum."""

from __future__ import annotations

import struct

READ = 0x03
HIGHEST_ADDRESS = 24


class FrameError(ValueError):
    """A frame is too short, too long or damaged."""


def crc16(data: bytes) -> int:
    """Return the check sum of a frame: polynomial A001, start value FFFF, low byte first on the wire."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


def build_request(address: int, register: int, count: int) -> bytes:
    if not 1 <= address <= HIGHEST_ADDRESS:
        raise FrameError(f"address {address} is not between 1 and {HIGHEST_ADDRESS}")
    body = struct.pack(">BBHH", address, READ, register, count)
    return body + struct.pack("<H", crc16(body))


def parse_reply(frame: bytes, address: int) -> list[int]:
    """Return the register values of a reply after all checks.

    Raises:
        FrameError: Short frame, bad check sum, a reply of another sensor, or an exception of the sensor.
    """
    if len(frame) < 5:
        raise FrameError(f"{len(frame)} bytes are no frame")
    if crc16(frame[:-2]) != struct.unpack("<H", frame[-2:])[0]:
        raise FrameError("bad check sum")
    if frame[0] != address:
        raise FrameError(f"reply of {frame[0]}, not of {address}")
    if frame[1] & 0x80:
        raise FrameError(f"sensor reports exception {frame[2]}")
    payload = frame[3:-2]
    if len(payload) != frame[2] or len(payload) % 2:
        raise FrameError("length byte and payload disagree")
    return list(struct.unpack(f">{len(payload) // 2}H", payload))


def decode_climate(words: list[int]) -> dict[str, float | None]:
    # 0x7FFF is what a sensor sends while its element is warming up or broken.
    temperature, humidity = words[:2]
    return {
        "temperature": None if temperature == 0x7FFF else (temperature - (temperature >> 15 << 16)) / 100,
        "humidity": None if humidity == 0x7FFF else min(humidity / 100, 100.0),
    }
