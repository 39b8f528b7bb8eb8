"""What the memory costs: time, activations, launches, bytes, multiply-adds.

Not a part of the installed package; run from a clone:

    python -m benchmarks configs/mlfm/resnet18_in100.py    any config
    python -m benchmarks.parts                docs/performance.md's figures

To be read in this order: ``networks`` (what is compared), ``setting`` (how it
is run), ``timing`` (in turns, with the noise), ``memory`` and ``traffic``
(what is counted), ``figures`` (the results), ``measure`` (all of it for one
network), ``__main__`` (the options). ``parts.yaml`` lists what the project
reports, with its limits; ``pages`` lays it out.
"""

import os

# Threads that wait in a loop for one another stop each other for seconds
# where cores are shared with other programs: let GNU OpenMP, which reads
# this when PyTorch is imported, soon send them to sleep.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')
# The profiler's library tells of an error where there is no GPU.
os.environ.setdefault('KINETO_LOG_LEVEL', '99')
