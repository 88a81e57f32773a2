"""Workflows: steps, in order."""
