"""The endpoints, one file a noun; shapes that existing clients send and expect."""
