"""Grafana as code: boards, data source and backup rules, pushed or written as files."""
