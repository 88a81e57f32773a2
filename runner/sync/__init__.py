"""Syncs: what changed at the source, stored."""
