"""`python -m local.leash <pid> <signal> <command...>` becomes the command, tied to its parent.

On Linux the kernel sends the signal as soon as the parent is gone, `kill -9` included; elsewhere
the command simply runs, and the next start finds it by its pid file.
Why: setting this between fork and exec inside the gateway, with its threads, could lock up.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def tie_to_parent(*, parent_pid: int, signal_number: int) -> bool:
    """This process gets the signal when its parent ends; False if the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    return os.getppid() == parent_pid


if __name__ == "__main__":
    if not tie_to_parent(parent_pid=int(sys.argv[1]), signal_number=int(sys.argv[2])):
        sys.exit(1)
    os.execv(sys.argv[3], sys.argv[3:])
