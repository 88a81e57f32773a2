"""Bulk API 2.0, below /services/data/vNN.0/jobs."""
