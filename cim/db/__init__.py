"""The embedded database: one directory, one writer, many readers."""
