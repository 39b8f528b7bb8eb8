# The classes of the heads must be those of the data, a last batch must be one
# that can be trained on, and images that cannot be read are counted.
custom_hooks = [
    dict(type='mlfm_mm.CheckDataHook'),
    dict(type='mlfm_mm.UnreadableReportHook'),
]
