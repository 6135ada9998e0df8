"""A point cloud that is made: a hill with a house on it."""

from __future__ import annotations

from pathlib import Path

import laspy
import numpy as np
import pyproj
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

X, Y = 500_000.0, 5_300_000.0
FOOT_M = 1200 / 3937


def hill(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the height of the ground, metres."""
    return 100.0 + 0.05 * (x - X) + 4.0 * np.sin((y - Y) / 20.0)


def cloud(path: Path, crs: int | None = 25832, unit_m: float = 1.0, ground: int = 2, size: float = 80.0) -> Path:
    """Points every half metre, jittered; a house of 20 m by 20 m in the middle hides the ground below it."""
    chance = np.random.default_rng(4)
    x, y = (axis.ravel() + chance.uniform(-0.2, 0.2, axis.size) for axis in np.mgrid[0:size:0.5, 0:size:0.5])
    x, y = x + X, y + Y
    house = (np.abs(x - X - 40) < 10) & (np.abs(y - Y - 40) < 10)
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = np.array([0.001] * 3), np.array([X, Y, 0.0])
    if crs:
        header.add_crs(pyproj.CRS.from_epsg(crs))
    made = laspy.LasData(header)
    z = np.where(house, 130.0, hill(x, y))
    made.x, made.y, made.z = x / 1.0, y / 1.0, z / unit_m
    made.classification = np.where(house, 6, ground).astype(np.uint8)
    made.write(path)
    return path
