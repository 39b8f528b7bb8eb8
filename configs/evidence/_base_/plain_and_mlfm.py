"""A network without memory and with it, of one recipe; five seeds."""

arms = dict(
    plain=dict(title='plain'),
    mlfm=dict(
        title='MLFM',
        overrides={'model.neck': dict(type='mlfm_mm.MLFMNeck')},
    ),
)
baselines = ['plain']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
