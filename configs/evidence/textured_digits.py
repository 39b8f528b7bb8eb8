"""Does the memory help where only the low bands tell what is shown?

Handwritten digits, pale under a fine grain, and six epochs: the networks of
the quickstart. Grain and epochs were chosen by single trials of both networks:
under less grain, or after ten epochs, both find the digits; under more, the
network without memory does not begin to. The last two networks are trained
three times as long.
"""

title = 'ResNet-18 w8, digits under a fine grain'
_configs = {
    arm: f'../{arm}/resnet18_w8_textured_digits.py'
    for arm in ('baseline', 'mlfm')
}
_longer = {'train_cfg.max_epochs': 18}
arms = dict(
    plain=dict(title='plain', config=_configs['baseline']),
    mlfm=dict(title='MLFM', config=_configs['mlfm']),
    plain_longer=dict(
        title='plain, 18 epochs',
        config=_configs['baseline'],
        overrides=_longer,
    ),
    mlfm_longer=dict(
        title='MLFM, 18 epochs',
        config=_configs['mlfm'],
        overrides=_longer,
    ),
)
baselines = ['plain', 'plain_longer']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
