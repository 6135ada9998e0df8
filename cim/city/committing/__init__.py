"""The next baseline: worked out beside the writer, committed in short turns, switched to at the end."""
