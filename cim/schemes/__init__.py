"""Schemes: branches of the city, kept as logs of edits."""
