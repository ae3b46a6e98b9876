"""Humid air: formulas after Magnus, valid from -20 to +60 degrees Celsius."""

from __future__ import annotations

from math import exp, log

_A, _B = 17.62, 243.12


def saturation_pressure(temperature: float) -> float:
    """Pressure of saturated vapour over water in kPa."""
    return 0.6112 * exp(_A * temperature / (_B + temperature))


def vpd(air: float, humidity: float, leaf_offset: float = -1.5) -> float:
    """Vapour pressure deficit between leaf and air in kPa; leaves are cooler than the air by `leaf_offset`."""
    in_leaf = saturation_pressure(air + leaf_offset)
    in_air = saturation_pressure(air) * humidity / 100
    return max(0.0, in_leaf - in_air)


def dew_point(temperature: float, humidity: float) -> float:
    if humidity <= 0:
        raise ValueError("dry air has no dew point")
    gamma = log(humidity / 100) + _A * temperature / (_B + temperature)
    return _B * gamma / (_A - gamma)


def absolute_humidity(temperature: float, humidity: float) -> float:
    """Grams of water in a cubic metre of air."""
    vapour = saturation_pressure(temperature) * 10 * humidity / 100
    return 216.7 * vapour / (273.15 + temperature)


def will_condense(surface: float, air: float, humidity: float, margin: float = 0.5) -> bool:
    return surface <= dew_point(air, humidity) + margin
