"""A tree that takes many leaves at once is the one that takes them one by one, and the one of RFC 6962."""

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.log.leaves import BLOCK, InclusionPaths, Tree, leaf_hash, root_above
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


# Of Certificate Transparency's own tests: leaves, the root of the first so many, and paths (leaf, size).
PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
PUBLISHED_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PUBLISHED_PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def test_the_published_vectors_pass() -> None:
    leaves = [leaf_hash(bytes.fromhex(data)) for data in PUBLISHED_LEAVES]
    assert [Tree.over(leaves[: n + 1]).root().hex() for n in range(8)] == PUBLISHED_ROOTS
    assert Tree().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for (index, size), path in PUBLISHED_PATHS.items():
        assert [one.hex() for one in InclusionPaths(leaves[:size]).of(index)] == path


@given(st.integers(1, 70))
def test_each_leaf_is_under_the_root_and_no_other_is(size: int) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    root, paths = Tree.over(leaves).root(), InclusionPaths(leaves)
    for index, leaf in enumerate(leaves):
        path = paths.of(index)
        assert root_above(leaf, index, size, path) == root
        assert root_above(leaf_hash(b"other"), index, size, path) != root
        assert root_above(leaf, (index + 1) % size, size, path) != root or size == 1
        assert root_above(leaf, index, size, [*path, leaf]) is None
        assert root_above(leaf, index, size, path[:-1]) is None or not path
    assert root_above(leaves[0], size, size, []) is None
