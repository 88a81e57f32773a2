"""The REST API below /services/data: one function a resource, found by the table in `routes.py`."""
