"""The process that checks texts: it reads jobs from stdin, a line each, and writes their stages to stdout.

`python -m seatwarden.engine.lsp.worker`; the server starts it, and ends it where a job has become pointless.
"""

import sys

import msgspec

from seatwarden.engine.lsp.checks import CheckJob, check


def main() -> None:
    """Works until stdin ends."""
    decoder = msgspec.json.Decoder(CheckJob)
    for line in sys.stdin.buffer:
        for stage in check(decoder.decode(line)):
            sys.stdout.buffer.write(msgspec.json.encode(stage) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
