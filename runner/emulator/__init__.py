"""An emulated Salesforce org: a real HTTP server over SQLite, for trials, tests and benchmarks."""
