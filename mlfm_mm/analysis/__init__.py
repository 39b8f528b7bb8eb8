"""Analyse trained networks and training runs.

``runs`` reads the work folder of a Runner (config, log, weights), ``compare``,
``tables`` and ``plots`` show it; ``sizes`` and ``complexity`` count what the
network of a config costs; ``machine`` describes the hardware.
"""
