"""A real Alertmanager for the tests of its sink: found on this machine, or else built."""
