"""From a request to points: plan, groups, driver processes, journal, verdicts."""
