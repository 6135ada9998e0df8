"""Which tileset is current, and serving it."""
