"""What is measured: each module times one thing against a peer or a limit, in one run.

`make bench` runs all of them and writes docs/benchmarks.md.
"""
