"""The nouns of NNTest: cases, subjects, platforms, plans, samples, points."""
