"""``python -m tests.e2e.older ROLE``: a worker of a version that has no ``ino.health``.

The product has no hooks; the topic is taken away from outside, before the worker starts.
"""

import os
import sys

from schemas.topics import Topics
from streams.app import run_role
from streams.settings import read_settings

if __name__ == "__main__":
    # Instead of the one that it does not know it reads one that it reads anyway.
    Topics.health = Topics.anchors  # type: ignore[method-assign, assignment] # that is the point
    run_role(sys.argv[1], read_settings(os.environ))
