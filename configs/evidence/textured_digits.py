"""Does the memory help where only the low bands tell what is shown?

Handwritten digits, pale under a fine grain: the networks of the quickstart,
and what the difference is due to. The controls keep the units and change what
they are given. The longer training is three times the recipe's.
"""

title = 'ResNet-18 w8, digits under a fine grain'
_plain = '../baseline/resnet18_w8_textured_digits.py'
_controls = {'custom_imports.imports': ['mlfm_mm.analysis.controls']}
arms = dict(
    plain=dict(title='plain', config=_plain),
    mlfm=dict(title='MLFM', config='../mlfm/resnet18_w8_textured_digits.py'),
    other_image=dict(
        title="another picture's image",
        config=_plain,
        overrides={
            **_controls,
            'model.neck': dict(type='mlfm_mm.OtherImageNeck'),
        },
    ),
    no_image=dict(
        title='no image, memory of the trunk only',
        config=_plain,
        overrides={
            **_controls,
            'model.neck': dict(type='mlfm_mm.NoImageNeck'),
        },
    ),
    no_memory=dict(
        title='no memory, bands of the image only',
        config=_plain,
        overrides={
            **_controls,
            'model.neck': dict(type='mlfm_mm.NoMemoryNeck'),
        },
    ),
    norms_only=dict(
        title='neither, norms only',
        config=_plain,
        overrides={
            **_controls,
            'model.neck': dict(type='mlfm_mm.NormsOnlyNeck'),
        },
    ),
    longer=dict(
        title='plain, three times as long',
        config=_plain,
        overrides={'train_cfg.max_epochs': 30},
    ),
)
baselines = ['plain', 'mlfm']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
