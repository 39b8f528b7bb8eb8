# The form of the checkpoint that the authors published: the memory is widened
# by each feature instead of added to it.
_base_ = '../baseline/mobilenetv2_0.1_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck', update='concat'))
