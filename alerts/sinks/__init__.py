"""The outside: one file per kind of receiver, all of them dull and alike.

A sink turns one message into one attempt. It never repeats, never decides and keeps nothing; what
is told is decided in ``alerts.notify`` and repeated in ``alerts.sinks.retry``.
"""
