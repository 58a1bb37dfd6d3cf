from width_buckets import Chunk, group_by_width


def test_crops_share_the_next_wider_bucket_and_no_chunk_exceeds_the_batch():
    chunks = group_by_width([90, 96, 97, 300, 300, 300], [96, 160, 320], 2)
    assert chunks == [Chunk(320, (3, 4)), Chunk(320, (5,)), Chunk(160, (2,)), Chunk(96, (0, 1))]


def test_no_crops_make_no_chunk():
    assert group_by_width([], [96], 8) == []
