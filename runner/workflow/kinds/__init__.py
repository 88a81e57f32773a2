"""What a step may do: one function a kind, under the key that the YAML has for it.

Each takes the step and its context and gives the step's result; `Absent` where it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runner.workflow.context import Perform
from runner.workflow.kinds.approve import approve
from runner.workflow.kinds.fail import fail
from runner.workflow.kinds.parallel import parallel
from runner.workflow.kinds.records import records
from runner.workflow.kinds.request import request
from runner.workflow.kinds.return_ import return_
from runner.workflow.kinds.set_ import set_
from runner.workflow.kinds.steps import steps
from runner.workflow.kinds.switch import switch
from runner.workflow.kinds.sync import sync
from runner.workflow.kinds.use import use
from runner.workflow.kinds.wait import wait
from runner.workflow.kinds.workflow import workflow

KINDS: Final[Mapping[str, Perform]] = {
    "use": use, "request": request, "workflow": workflow, "sync": sync, "records": records, "steps": steps,
    "parallel": parallel, "switch": switch, "wait": wait, "approve": approve, "set": set_,
    "return": return_, "fail": fail,
}  # fmt: skip
