"""Which form of the memory is worth its cost? Recipe and seeds of tiny20."""

title = 'MobileNetV2 0.35, Tiny ImageNet-20: variants'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
_mlfm = dict(type='mlfm_mm.MLFMNeck')
_stages = [f'layer{i}' for i in range(2, 7)]
arms = dict(
    stages=dict(
        title='units at the ends of stages only',
        overrides={'model.neck': dict(**_mlfm, taps=_stages)},
    ),
    late=dict(
        title='units at the last three stages only',
        overrides={'model.neck': dict(**_mlfm, taps=_stages[2:])},
    ),
    concat=dict(
        title="update='concat'",
        overrides={'model.neck': dict(**_mlfm, update='concat')},
    ),
    identity=dict(
        title='identity_init=True',
        overrides={'model.neck': dict(**_mlfm, identity_init=True)},
    ),
    db2=dict(
        title="wavelet='db2'",
        overrides={'model.neck': dict(**_mlfm, wavelet='db2')},
    ),
    even_scale=dict(
        title='bands at one scale (LL divided by 2)',
        overrides={
            'custom_imports.imports': ['mlfm_mm.analysis.controls'],
            'model.neck': dict(type='mlfm_mm.EvenScaleNeck'),
        },
    ),
    lite=dict(
        title='ends of stages, no supplement gate',
        overrides={
            'model.neck': dict(**_mlfm, taps=_stages, supplement=False)
        },
    ),
)
baselines = ['plain', 'mlfm']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
beside = ['tiny20']
