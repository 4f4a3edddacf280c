"""What holds for all tests: properties are tried without a clock, since a machine may be busy with other work."""

from hypothesis import HealthCheck, settings

settings.register_profile("without-clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-clock")
