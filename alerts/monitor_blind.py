"""What happens at the beds may not be seen, or not be told: the monitor itself cannot be relied on.

An alarm system that fails has to say so (IEC 60601-1-8 6.3). Judged by the watchdog, which looks
from outside and tells by a way of its own. All that is wrong at a time is one alert for the whole
site. It is no rule about a patient: it has no bed, no course and no silencing.
"""

from alerts.rule import OutsideRule
from schemas.alert import Priority

NAME = "monitor-blind"
PRIORITY: Priority = "high"

RULE = OutsideRule(
    name=NAME,
    title="the monitor is blind",
    raised={
        PRIORITY: "more than {monitor_blind.age} old is the newest tick of a partition, the first "
        "record that waits for a worker, the last worker of a role or Kafka's last answer; a "
        "receiver has taken nothing for more than {monitor_blind.sink}; an alert has reached "
        "nobody for more than {monitor_blind.page}; topics are missing, or no receiver is set. A "
        "site that was never well is given {monitor_blind.start} to start"
    },
    clears="all has been well for {monitor_blind.clear}. While all is well, a heartbeat goes out "
    "every {monitor_blind.heartbeat}",
)
