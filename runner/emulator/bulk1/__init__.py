"""Bulk API 1.0, below /services/async/NN.0: jobs, batches and results in XML, JSON and CSV."""
