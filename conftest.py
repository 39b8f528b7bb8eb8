"""What tests and doctests alike rely on."""

from mmengine.logging import MMLogger

# Imported before pytest collects a module of it, which would otherwise be
# executed twice and register its classes twice.
import mlfm_mm  # noqa: F401

# A logger writes where stdout was when it was made: within a doctest, that
# would be what the doctest compares.
MMLogger.get_instance('mmengine', logger_name='mmengine')
