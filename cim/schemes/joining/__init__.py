"""Bringing branches together: merge, rebase, publish."""
