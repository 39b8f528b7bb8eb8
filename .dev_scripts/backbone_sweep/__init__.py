"""Every backbone that the hosts and some libraries ship, with memory."""
