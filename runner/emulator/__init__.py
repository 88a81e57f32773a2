"""An emulated Salesforce org: a real HTTP server over SQLite, for trials, tests and benchmarks.

It stands alone: it imports nothing of the rest of the runner, and only its own command starts it.
"""

#: the integration of `providers.yaml` that this org answers to
INTEGRATION = "salesforce"
#: what people call it
PRODUCT = "Salesforce"
