"""Forms of the memory and of its place; five seeds."""

_mlfm = dict(type='mlfm_mm.MLFMNeck')
arms = dict(
    stages=dict(
        title='units at the ends of stages only',
        overrides={'model.neck': dict(**_mlfm, taps='stages')},
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
    no_supplement=dict(
        title='ends of stages, no supplement gate',
        overrides={
            'model.neck': dict(**_mlfm, taps='stages', supplement=False)
        },
    ),
)
baselines = ['plain', 'mlfm']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
