"""``inowatch deploy`` without a command: one after the other, whatever the settings name."""

import os
from collections.abc import Mapping

import click

EXIT_FAILED = 1
_NAMED_BY = {
    "influxdb": ("INOWATCH_STORE", "influxdb"),
    "grafana": ("INOWATCH_GRAFANA_URL", "http"),
}
"""A server is to be set up where this setting begins so. Kafka always is."""


def named(env: Mapping[str, str]) -> list[str]:
    """List the commands in the order in which they need one another."""
    others = [
        command
        for command, (setting, begins) in _NAMED_BY.items()
        if env.get(setting, "").startswith(begins)
    ]
    return ["kafka", *others]


def deploy_what_is_named(commands: Mapping[str, click.Command]) -> int:
    """Run each; the exit code is 1 when one of them found something wrong.

    What cannot be done at all ends it, by the command's own exception.
    """
    code = 0
    for name in named(os.environ):
        if name not in commands:
            continue
        click.echo(f"{name}:", err=True)
        try:
            commands[name].main([], f"inowatch deploy {name}", standalone_mode=False)
        except SystemExit as done:
            code = EXIT_FAILED if done.code else code
    return code
