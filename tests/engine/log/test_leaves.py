"""A tree that takes many leaves at once is the one that takes them one by one, and the one of RFC 6962."""

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.log.leaves import BLOCK, Tree, leaf_hash
from tests.engine.log.forging import root_of

_COUNTS = st.sampled_from([0, 1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5]) | st.integers(0, 40)


@given(st.lists(_COUNTS, max_size=4))
def test_many_at_once(counts: list[int]) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(sum(counts))]
    one_by_one, at_once, at = Tree(), Tree(), 0
    for count in counts:
        at_once.extend(leaves[at : at + count])
        for leaf in leaves[at : at + count]:
            one_by_one.add(leaf)
        at += count
        assert (at_once.size, at_once.root()) == (one_by_one.size, one_by_one.root())
    assert Tree.over(leaves).root() == at_once.root() == root_of(leaves)
