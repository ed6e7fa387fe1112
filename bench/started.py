"""Starts a command, and prints the seconds that it took, its peak memory in bytes (Linux), and its code.

In a process of its own: Linux counts to the peak of a child what its parent held when the child was begun.

python -I -S bench/started.py PROGRAM [ARGUMENT ...]
"""

import os
import sys
import time

if __name__ == "__main__":
    nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    start = time.perf_counter()
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[nothing])
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    sys.stdout.write(f"{seconds} {used.ru_maxrss * 1024} {os.waitstatus_to_exitcode(status)}\n")
