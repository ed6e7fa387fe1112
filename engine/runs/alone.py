"""A site that shares its licenses with others is never released alone: what is unused here may be in use there."""

from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.log.register import RegisterState
from seatwarden.engine.site.pool import NO_POOL, LicensePool
from seatwarden.engine.site.settings import POOL_DEMAND


def refuse_alone(register: RegisterState, pool: LicensePool | None, whole: str | None = None) -> None:
    """Raises PlanRefused for a site that shares its licenses, where not all sites of its pool are looked at.

    `pool` is what its site file says, and the register what it said before; `whole` is the pool that somebody looks at.
    """
    remembered = register.settings().get(POOL_DEMAND, NO_POOL)
    if pool is None and remembered != NO_POOL:
        help_ = f"write `licensePool: {remembered}` into the site file, or `licensePool: {NO_POOL}` if it has left"
        raise PlanRefused(
            f"the register knows this site as one of the pool `{remembered}`, its site file does not", help_
        )
    if pool is not None and pool.name not in (NO_POOL, whole):
        message = f"the site shares its licenses with the pool `{pool.name}`, and is never released alone"
        raise PlanRefused(message, "release all its sites together: seatwarden fleet run")
