"""Does the memory help on handwritten digits, where little is left to gain?

The networks of the quickstart.
"""

title = 'ResNet-18 w16, handwritten digits'
arms = dict(
    plain=dict(title='plain', config='../baseline/resnet18_w16_digits.py'),
    mlfm=dict(title='MLFM', config='../mlfm/resnet18_w16_digits.py'),
)
baselines = ['plain']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
