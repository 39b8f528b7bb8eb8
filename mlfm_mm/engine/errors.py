"""The error that a user can repair."""


class UsageError(ValueError):
    """A mistake in a command or a config, told before any work is lost.

    The message names the value that is wrong and the remedy; the tools print
    it alone, without a traceback.
    """
