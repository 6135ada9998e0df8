"""The live state: snapshots and numbered deltas over WebSocket and server-sent events."""
