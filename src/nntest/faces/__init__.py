"""What people touch: the command line, the CK modules, and the set-up of this machine."""
