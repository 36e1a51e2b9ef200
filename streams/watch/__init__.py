"""The watchdog: looks at the whole from outside, and tells by a way of its own.

It shares no process, no consumer group and no code path with the workers that it watches, and uses
no Faust (docs/adr/0009).
"""
