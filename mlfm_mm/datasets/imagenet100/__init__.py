"""ImageNet-100, the data set that MLFM was trained on."""
