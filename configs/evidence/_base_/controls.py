"""The same units, given something else than the method says; five seeds."""

_imports = {'custom_imports.imports': ['mlfm_mm.analysis.controls']}
_controls = dict(
    other_image=("another picture's image", 'OtherImageNeck'),
    no_image=('no image, memory of the trunk only', 'NoImageNeck'),
    no_memory=('no memory, bands of the image only', 'NoMemoryNeck'),
    norms_only=('neither, norms only', 'NormsOnlyNeck'),
)
arms = {
    name: dict(
        title=title,
        overrides={**_imports, 'model.neck': dict(type=f'mlfm_mm.{kind}')},
    )
    for name, (title, kind) in _controls.items()
}
# Else a neighbour's image could tell the class: pictures may be in an order.
arms['other_image']['overrides']['val_dataloader.sampler'] = dict(
    type='DefaultSampler', shuffle=True, seed=0
)
baselines = ['plain', 'mlfm']
seeds = [0, 1, 2, 3, 4]
metric = 'accuracy/top1'
