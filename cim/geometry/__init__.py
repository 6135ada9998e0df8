"""Coordinates, surfaces and boxes; pure."""
