"""The HTTP API (SPEC §6): thin routers parse, call, present; what is allowed, shown and kept is decided elsewhere."""
