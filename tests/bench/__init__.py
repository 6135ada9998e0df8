"""Measurements side by side; never asserted on time."""
