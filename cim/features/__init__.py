"""The city as OGC API Features."""
