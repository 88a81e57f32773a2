"""What starts syncs and workflows by itself: the time, and changed records."""
