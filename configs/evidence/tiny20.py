"""Does the memory help a small network on small photographs?

Fixed before the first run: recipe, arms, seeds, and the test, which is the
paired difference over the seeds after the last epoch, with its 95 % interval.
"""

title = 'MobileNetV2 0.35, Tiny ImageNet-20'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
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
