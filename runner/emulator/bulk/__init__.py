"""What Bulk API 1.0 and 2.0 share: jobs, their batches, the data of both, and the work on them."""
