"""Where the people of a history are gone through: in this process, or on a Dask cluster."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from seatwarden.engine.analysis.hindsight import HistoryAnswer, HistoryQuestion, Spread, answer, here
from seatwarden.engine.history.timeline import Timeline
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

LOCAL = "local"
_PARTS_A_WORKER = 4
"""More than one, so that nobody waits long for the slowest."""


@contextmanager
def spread_over(where: str | None, seconds: float = 20) -> Iterator[Spread]:
    """This process (None), the cores of this machine (`local`), or the cluster with that address.

    Raises InputError, also where the cluster does not answer within so many seconds.
    """
    if where is None:
        yield here
        return
    if where != LOCAL and "://" not in where:
        raise InputError(
            f"--dask: `{where}` is no cluster", "write --dask local, or an address like tcp://10.1.2.3:8786"
        )
    if find_spec("distributed") is None:
        raise InputError(
            "--dask needs the extra `scale`", "install it in the same environment: pip install distributed"
        )
    from distributed import Client  # takes a second to import

    if where == LOCAL:
        with _local_cluster() as cluster, Client(cluster) as client:
            yield _on(client)
        return
    try:
        client = Client(where, timeout=seconds)
    except (OSError, ValueError) as error:
        raise InputError(f"--dask: no scheduler answers at `{where}`: {error}") from None
    with client:
        _check_workers(client, where, seconds)
        yield _on(client)


def _local_cluster() -> "LocalCluster":
    """The cores of this machine. Whoever reaches a scheduler runs what he likes as its user: so it asks for a key that
    is made for it, and serves no pages."""
    import dask
    from distributed import LocalCluster

    dask.config.set({f"distributed.{who}.http.routes": [] for who in ("scheduler", "worker")})
    here_only = "127.0.0.1:0"
    return LocalCluster(
        threads_per_worker=1, security=True, dashboard_address=here_only, worker_dashboard_address=here_only
    )


def _on(client: "Client") -> Spread:
    from distributed import KilledWorker

    def spread(question: HistoryQuestion, timeline: Timeline) -> Iterable[HistoryAnswer]:
        workers = max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
        size = -(-len(timeline.people) // (_PARTS_A_WORKER * workers))
        parts = client.scatter(timeline.parts(max(size, 1)), hash=False)
        asked = client.scatter(question, broadcast=True, hash=False)
        try:
            found: list[HistoryAnswer] = client.gather(client.map(answer, [asked] * len(parts), parts, pure=False))
        except (KilledWorker, OSError) as error:
            raise InputError(
                f"--dask: the cluster has not answered: {error}", "without --dask it takes longer"
            ) from None
        return found

    return spread


def version() -> str:
    """The version of seatwarden where this is called."""
    return VERSION


def _check_workers(client: "Client", where: str, seconds: float) -> None:
    """Raises InputError where a worker cannot answer as this process would."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError:
        raise InputError(
            f"--dask: the cluster at `{where}` has no workers", "start some: dask worker ADDRESS"
        ) from None
    for address, found in client.run(version, on_error="return").items():
        if found != VERSION:
            has = f"seatwarden {found}" if isinstance(found, str) else f"no seatwarden ({found})"
            raise InputError(f"--dask: worker `{address}` has {has}, this is {VERSION}", "install the same one there")
