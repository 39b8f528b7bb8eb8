"""What the memory costs: time, activations, launches, bytes, multiply-adds.

Not a part of the installed package; run from a clone:

    python -m benchmarks configs/mlfm/resnet18_in100.py    any config
    python -m benchmarks.parts                docs/performance.md's figures

To be read in this order: ``networks`` (what is compared), ``setting`` (how it
is run), ``timing`` (in turns, with the noise), ``load`` (what else runs),
``memory`` and ``traffic`` (what is counted), ``figures`` (the results),
``measure`` (all of it for one network), ``__main__`` (the options).
``parts.yaml`` lists what the project reports, with its limits; ``pages`` lays
it out.
"""

import os

# Where cores are shared with other programs, OpenMP threads that spin while
# they wait stall each other for seconds: let GNU OpenMP, which reads this
# when PyTorch is imported, put them to sleep early.
os.environ.setdefault('GOMP_SPINCOUNT', '3000')
# Without a GPU, the profiler's library logs an error.
os.environ.setdefault('KINETO_LOG_LEVEL', '99')
