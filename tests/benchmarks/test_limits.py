from benchmarks.limits import judge
from tests.benchmarks.tiny import report


def test_judgements() -> None:
    limits = {
        'MLFM': dict(infer=1.25, folded=1.1, train=1.2),
        'with_cp=True': dict(saved=1.2),
    }
    assert [str(j) for j in judge(report().figures, limits)] == [
        'tiny: inference: x1.20 ±2.0 %, limit 1.25: met',
        'tiny: inference, norms folded: x1.05 ±8.0 % ?, limit 1.1: open',
        'tiny: training step: x1.30 ±2.0 %, limit 1.2: missed',
        'tiny: saved activations, with_cp=True: x1.20, limit 1.2: met',
    ]
