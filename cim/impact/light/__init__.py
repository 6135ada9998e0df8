"""Direct sun on façades and ground, and who loses it."""
