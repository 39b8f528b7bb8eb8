"""Does the memory help a segmentor whose backbone was pretrained?

The networks of plan tiny100_short are fine-tuned on CamVid, seed by seed: the
plain ones as they are, with units added that begin at random, and with units
added that begin as the identity; those with memory with it. Fixed before the
first run: recipe, arms, seeds, and the test, which is the paired difference
over the seeds after the last epoch, with its 95 % interval.
"""

title = 'FCN of MobileNetV2 0.35, CamVid 256x192'
config = 'recipes/fcn_mobilenetv2_0.35_camvid.py'
_pretrained = 'work_dirs/evidence/tiny100_short/{arm}_s{{seed}}/epoch_14.pth'
_plain = {'load_from': _pretrained.format(arm='plain')}
_mlfm = {'load_from': _pretrained.format(arm='mlfm')}
_neck = dict(type='mlfm_mm.MLFMNeck')
arms = dict(
    plain=dict(title='plain, pretrained', overrides=_plain),
    mlfm=dict(
        title='MLFM, pretrained', overrides={**_mlfm, 'model.neck': _neck}
    ),
    added=dict(
        title='MLFM added when fine-tuned',
        overrides={**_plain, 'model.neck': _neck},
    ),
    identity=dict(
        title='MLFM added, identity_init=True',
        overrides={
            **_plain,
            'model.neck': dict(**_neck, identity_init=True),
        },
    ),
)
baselines = ['plain']
seeds = [0, 1, 2, 3, 4]
metric = 'mIoU'
