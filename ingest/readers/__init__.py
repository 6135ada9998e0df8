"""One file per format; the registry is the list."""
