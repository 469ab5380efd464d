import pytest
from audit_naive import leaf_hashes, mth, path, proof, sha
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from audit import tree

SIZES = st.integers(0, 300)


def range_root(leaves):
    return lambda low, high: mth(leaves[low:high])


def test_known_answers_of_rfc_6962():
    # The test vectors of the certificate transparency project for the inputs "", 00, 10, 2021, 3031, 40414243, ….
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    frontier = tree.EMPTY_FRONTIER
    for size in range(len(data) + 1):
        if size in roots:
            assert tree.root_of(frontier).hex() == roots[size]
        if size < len(data):
            frontier = tree.append(size, frontier, tree.leaf_hash(bytes.fromhex(data[size])))


def test_frontier_gives_the_root_at_every_size():
    leaves = leaf_hashes(600)
    frontier = tree.EMPTY_FRONTIER
    for size, leaf in enumerate(leaves):
        assert len(frontier) == 32 * size.bit_count()
        assert tree.root_of(frontier) == mth(leaves[:size])
        frontier = tree.append(size, frontier, leaf)


def test_leaves_and_nodes_are_told_apart():
    left, right = leaf_hashes(2)
    assert tree.node_hash(left, right) != tree.leaf_hash(left + right)
    assert tree.node_hash(left, right) == sha(b"\x01" + left + right)


@given(st.data())
def test_inclusion_proofs_are_those_of_the_rfc_and_verify(data):
    size = data.draw(st.integers(1, 300))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaf_hashes(size)
    steps = tree.inclusion_proof(index, size, range_root(leaves))
    assert steps == path(index, leaves)
    assert tree.verify_inclusion(index, size, leaves[index], steps, mth(leaves))


@given(st.data())
def test_a_changed_inclusion_proof_never_verifies(data):
    size = data.draw(st.integers(1, 120))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaf_hashes(size)
    steps, root, leaf = path(index, leaves), mth(leaves), leaves[index]
    other = data.draw(st.integers(0, size + 3))
    if other != index:
        assert not tree.verify_inclusion(other, size, leaf, steps, root)
    assert not tree.verify_inclusion(index, size, sha(leaf), steps, root)
    assert not tree.verify_inclusion(index, size, leaf, steps, sha(root))
    assert not tree.verify_inclusion(index, size, leaf, [*steps, root], root)
    if steps:
        place = data.draw(st.integers(0, len(steps) - 1))
        assert not tree.verify_inclusion(index, size, leaf, steps[:place] + steps[place + 1 :], root)
        assert not tree.verify_inclusion(
            index, size, leaf, [*steps[:place], sha(steps[place]), *steps[place + 1 :]], root
        )


def test_a_proof_from_a_smaller_tree_is_none_in_a_larger_one():
    leaves = leaf_hashes(2)
    assert tree.verify_inclusion(0, 2, leaves[0], [leaves[1]], mth(leaves))
    for size in (3, 4, 100):
        assert not tree.verify_inclusion(0, size, leaves[0], [leaves[1]], mth(leaves))


@given(st.data())
def test_consistency_proofs_are_those_of_the_rfc_and_verify(data):
    new = data.draw(st.integers(1, 300))
    old = data.draw(st.integers(1, new))
    leaves = leaf_hashes(new)
    steps = tree.consistency_proof(old, new, range_root(leaves))
    assert steps == proof(old, leaves)
    assert tree.verify_consistency(old, new, mth(leaves[:old]), mth(leaves), steps)


@given(st.data())
def test_a_changed_consistency_proof_never_verifies(data):
    new = data.draw(st.integers(2, 120))
    old = data.draw(st.integers(1, new - 1))
    leaves = leaf_hashes(new)
    steps, first, second = proof(old, leaves), mth(leaves[:old]), mth(leaves)
    assert not tree.verify_consistency(old, new, sha(first), second, steps)
    assert not tree.verify_consistency(old, new, first, sha(second), steps)
    assert not tree.verify_consistency(old, new, first, second, [*steps, first])
    assert not tree.verify_consistency(new, old, second, first, steps)
    place = data.draw(st.integers(0, len(steps) - 1))
    assert not tree.verify_consistency(old, new, first, second, steps[:place] + steps[place + 1 :])
    changed = [*steps[:place], sha(steps[place]), *steps[place + 1 :]]
    assert not tree.verify_consistency(old, new, first, second, changed)


def test_a_rewritten_history_has_no_consistency_proof():
    leaves = leaf_hashes(200)
    forged = [*leaves[:50], sha(b"forged"), *leaves[51:]]
    steps = proof(100, forged)
    assert not tree.verify_consistency(100, 200, mth(leaves[:100]), mth(forged), steps)


def test_empty_and_equal_trees():
    root = mth(leaf_hashes(5))
    assert tree.consistency_proof(0, 5, range_root(leaf_hashes(5))) == []
    assert tree.verify_consistency(0, 5, tree.EMPTY_ROOT, root, [])
    assert not tree.verify_consistency(0, 5, root, root, [])
    assert not tree.verify_consistency(0, 5, tree.EMPTY_ROOT, root, [root])
    assert tree.verify_consistency(5, 5, root, root, [])
    assert not tree.verify_consistency(5, 5, root, tree.EMPTY_ROOT, [])
    assert not tree.verify_consistency(5, 5, root, root, [root])
    assert not tree.verify_inclusion(0, 0, root, [], root)
    assert not tree.verify_consistency(3, 5, root, root, [])


def test_proofs_outside_the_tree_are_refused():
    for index, size in ((-1, 5), (5, 5), (0, 0)):
        with pytest.raises(ValueError, match="outside"):
            tree.inclusion_proof(index, size, range_root([]))
    for old, new in ((-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="order"):
            tree.consistency_proof(old, new, range_root([]))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_pymerkle_has_the_same_roots_and_paths(data):
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    stranger = InmemoryTree(algorithm="sha256")
    stranger.append_entries([b"entry %d" % number for number in range(size)])
    leaves = leaf_hashes(size)
    frontier = tree.EMPTY_FRONTIER
    for number, leaf in enumerate(leaves):
        frontier = tree.append(number, frontier, leaf)
        assert stranger.get_root(number + 1) == tree.root_of(frontier)
    steps = tree.inclusion_proof(index, size, range_root(leaves))
    assert sorted(stranger.prove_inclusion(index + 1, size).path) == sorted([leaves[index], *steps])
