"""The command as a process of its own: `seatwarden`, and `python -m seatwarden`."""

import atexit
import os
import sys

from seatwarden.engine.common.collector import collect_seldom


def main() -> None:
    """Runs the command line, and ends the process with one of `ExitCode`.

    All is written and closed then, and nothing is taken apart that the system frees anyway: of a plan of 100,000
    licenses that takes 0.2 s, of a small command as long as a fifth of its imports. Where a thread still has something
    to do, it is waited for as ever.
    """
    collect_seldom()
    from seatwarden.engine.cli.main import main as run  # most objects come with it

    ended = SystemExit(0)
    try:
        run()
    except SystemExit as raised:
        ended = raised  # kept, and with it all that the command has made, where it was the command that raised it
    code = ended.code if ended.code is not None else 0
    if not isinstance(code, int) or _others_at_work():
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # Windows has none in a process without a console
            stream.flush()
    os._exit(code)


def _others_at_work() -> bool:
    threading = sys.modules.get("threading")  # where nothing has imported it there are none
    if threading is None:
        return False
    return any(not one.daemon and one is not threading.main_thread() for one in threading.enumerate())


if __name__ == "__main__":
    main()
