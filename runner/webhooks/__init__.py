"""Webhooks: received, proved, stored once, routed."""
