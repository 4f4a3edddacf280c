"""Statistics of nested samples: intervals, comparisons, families of comparisons, detectors.

Numpy and scipy.special only, so that the measuring side can use it; statsmodels is imported where a family of
comparisons is adjusted. All work is on logarithms of times: a machine's noise multiplies, and a ratio of A over B then
says the same as one of B over A.
"""
