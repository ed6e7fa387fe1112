"""Checking in the background: one process, one job at a time, ended as soon as its text has changed."""

import asyncio
import sys
from collections.abc import Callable

import msgspec

from seatwarden.engine.lsp.checks import CheckJob, Found, Stage

PAUSE = 0.15
"""Seconds without a key after which a text is checked."""
_LONGEST_LINE = 1 << 26


class Background:
    """Checks the last text that it was given. `tell` is called with each stage, in the loop that gives jobs."""

    def __init__(self, tell: Callable[[CheckJob, Stage], None]) -> None:
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def check(self, job: CheckJob) -> None:
        """Gives a job; one for the same file that is not done is given up."""
        before = self._tasks.pop(job.path, None)
        if before is not None:
            before.cancel()
        self._tasks[job.path] = asyncio.create_task(self._do(job))

    def forget(self, path: str) -> None:
        """Gives the job for a file up: it was closed."""
        task = self._tasks.pop(path, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Gives all jobs up and ends the process."""
        for path in list(self._tasks):
            self.forget(path)
        await self._end()

    async def _do(self, job: CheckJob) -> None:
        await asyncio.sleep(PAUSE)
        async with self._turn:
            try:
                await self._stages(job)
            except asyncio.CancelledError:
                await self._end()  # whatever it still says is about the past
                raise
            except (OSError, ValueError, msgspec.DecodeError) as error:
                await self._end()
                # Said where findings are: a text without any would look as if it were right.
                message = f"this policy could not be checked: {error}"
                self._tell(job, Stage((Found("unchecked", "error", message, (1, 1, 1, 1)),), done=True))

    async def _stages(self, job: CheckJob) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await _start()
        assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        await process.stdin.drain()
        while line := await process.stdout.readline():
            stage = msgspec.json.decode(line, type=Stage)
            self._tell(job, stage)
            if stage.done:
                return
        raise OSError("the process that checks has ended")

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _start() -> asyncio.subprocess.Process:
    """Its errors go where the server's go: into the editor's log."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-X", "utf8", "-m", "seatwarden.engine.lsp.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
