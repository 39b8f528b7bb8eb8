"""Analyse trained networks and training runs.

``runs`` reads the work folder of a Runner (config, log, weights), ``compare``,
``tables`` and ``plots`` show it; ``sizes`` and ``complexity`` count what the
network of a config costs; ``machine`` describes the hardware. ``trained`` and
``samples`` load a network and pictures, for what the network does with them:
``memory_view``, ``spectrum``, ``grad_cam``, ``robustness``, ``segments``.
``same_data`` refuses to compare what is not alike, ``controls`` are networks
to compare with. ``export`` writes ONNX and pt2, ``evidence`` runs experiments.
"""
