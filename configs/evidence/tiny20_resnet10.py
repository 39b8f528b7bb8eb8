"""Does the memory help a residual network, on the photographs of tiny20?"""

title = 'ResNet-10, Tiny ImageNet-20'
config = 'recipes/resnet10_tiny20.py'
arms = dict(
    plain=dict(title='plain'),
    mlfm=dict(
        title='MLFM',
        overrides={'model.neck': dict(type='mlfm_mm.MLFMNeck')},
    ),
)
baselines = ['plain']
seeds = [0, 1, 2]
metric = 'accuracy/top1'
