"""Workflows: durable steps, one after the other and side by side, undone where they must be.

A run walks its definition from the top, always: `kinds` does what each step says, `modifiers` how. What a
step gave stands in the `journal` under the step's path: a run that goes on after its process has died walks
the same way, takes what is there, and does what is not.
"""
