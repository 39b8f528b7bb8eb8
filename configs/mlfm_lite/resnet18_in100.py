_base_ = '../mlfm/resnet18_in100.py'

# As published, there is no image gate in the last unit.
model = dict(neck=dict(taps='stages', supplement=[True] * 3 + [False]))
