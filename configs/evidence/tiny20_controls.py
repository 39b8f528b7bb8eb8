"""What is the gain of plan tiny20 due to? The same recipe and seeds.

Controls keep the units and change what they are given. The wider networks
have no memory: one has MLFM's parameters (435 k of 430 k; MLFM adds 2 %), and
one its training time (the widest that is not slower: widths go by eights, and
a step of the next one takes half as long again).
"""

title = 'MobileNetV2 0.35, Tiny ImageNet-20: controls'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
_imports = {'custom_imports.imports': ['mlfm_mm.analysis.controls']}
_controls = dict(
    other_image=("another picture's image", 'OtherImageNeck'),
    no_image=('no image, memory of the trunk only', 'NoImageNeck'),
    no_memory=('no memory, bands of the image only', 'NoMemoryNeck'),
    norms_only=('neither, norms only', 'NormsOnlyNeck'),
)
arms = dict(
    **{
        name: dict(
            title=title,
            overrides={**_imports, 'model.neck': dict(type=f'mlfm_mm.{kind}')},
        )
        for name, (title, kind) in _controls.items()
    },
    same_params=dict(
        title='without memory, as many parameters (width 0.37)',
        overrides={'model.backbone.widen_factor': 0.37},
    ),
    same_time=dict(
        title='without memory, as much time (width 0.55)',
        overrides={'model.backbone.widen_factor': 0.55},
    ),
)
baselines = ['plain', 'mlfm']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
beside = ['tiny20']
