"""Geometry to 3D Tiles files."""
