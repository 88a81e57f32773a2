"""Tests of definitions: recorded from a real connection, run without a network."""
