_base_ = 'mmseg::_base_/default_runtime.py'

# For small data: short epochs, of which the last and the best are kept.
log_processor = dict(by_epoch=True)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='mlfm_mm.SafeCheckpointHook', max_keep_ckpts=1, save_best='mIoU'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
    epoch_summary=dict(type='mlfm_mm.EpochSummaryHook'),
)
