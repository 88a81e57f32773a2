"""Checked files turned into the frozen objects of `model`."""
