"""What runs inside a driver process whose library can only be entered through Python.

The driver is a shared object there, which `host` loads and hands control to; it measures as everywhere else. These
modules know the library they enter and nothing of the rest of the package: the interpreter that runs them is isolated.
"""
