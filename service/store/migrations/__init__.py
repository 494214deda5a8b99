"""The versions of the schema. A published version is never edited; see docs/store.md for how to add one."""
