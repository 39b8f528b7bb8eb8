_base_ = 'mmpretrain::_base_/default_runtime.py'

# For small data: short epochs, of which the last and the best are kept.
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(
        type='mlfm_mm.SafeCheckpointHook', max_keep_ckpts=1, save_best='auto'
    ),
)
