"""What a researcher asks of trained networks and of their runs.

``runs`` reads what a Runner left (config, log, weights), ``tables`` and
``plots`` show it; ``models``, ``sizes`` and ``complexity`` build the network
of a config and count what it costs; ``machine`` says where.
"""
