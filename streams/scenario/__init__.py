"""Scenarios: a timeline that a nurse can read, and exactly the alerts that it must bring."""
