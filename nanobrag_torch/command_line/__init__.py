"""From the arguments of the command line to a ``Request``."""
