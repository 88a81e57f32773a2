"""What is kept: connections, records, checkpoints, runs, deliveries."""
