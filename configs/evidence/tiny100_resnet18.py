"""Does the memory help on all hundred classes, trained for longer?

For a GPU, several runs side by side (--jobs 4).
"""

title = 'ResNet-18, Tiny ImageNet-100'
config = 'recipes/resnet18_tiny100.py'
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
