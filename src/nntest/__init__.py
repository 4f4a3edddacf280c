"""NNTest: which library should run each operator of my network, and how sure are we?"""

__version__ = "0.1.0"
