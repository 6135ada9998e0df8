"""Datastreams and observations."""
