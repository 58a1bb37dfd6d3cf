"""The batch runner over a bucket, on a local S3 server."""

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="scans")
    yield client
    for item in client.list_objects_v2(Bucket="scans").get("Contents", []):
        client.delete_object(Bucket="scans", Key=item["Key"])
    # They keep the address of the server.
    S3FileSystem.clear_instance_cache()


def _keys(client):
    listed = client.list_objects_v2(Bucket="scans", Prefix="out/").get("Contents", [])
    return {item["Key"] for item in listed}


def test_prefix_to_prefix_and_again(batch, bucket, engine, make_image):
    for key in ("in/a.png", "in/deep/b.png", "in/notes.txt", "elsewhere/c.png"):
        bucket.put_object(Bucket="scans", Key=key, Body=make_image())
    outcome = batch("s3://scans/in", "s3://scans/out/")
    assert outcome.status == 0, outcome.err
    assert _keys(bucket) == {
        "out/a.png.json", "out/deep/b.png.json", "out/_batch/done/a.png.json.json",
        "out/_batch/done/deep/b.png.json.json", "out/_batch/summary-00000-of-00001.json",
    }  # fmt: skip
    assert batch("s3://scans/in", "s3://scans/out").summary["skipped"] == 2
    bucket.put_object(Bucket="scans", Key="in/a.png", Body=make_image(size=(60, 20)))
    bucket.delete_object(Bucket="scans", Key="out/deep/b.png.json")
    bucket.put_object(Bucket="scans", Key="in/bad.pdf", Body=b"nothing of the kind")
    outcome = batch("s3://scans/in", "s3://scans/out")
    assert (outcome.summary["read"], outcome.summary["failures"]) == (2, ["bad.pdf"])
    assert "out/bad.pdf.problem.json" in _keys(bucket)


def test_prefix_that_is_empty_or_missing_is_2(batch, bucket):
    assert batch("s3://scans/in", "s3://scans/out").status == 2
    assert batch("s3://nowhere/in", "s3://scans/out").status == 2


def test_bucket_to_folder_leaves_nothing_in_the_bucket(batch, bucket, tmp_path, make_image):
    bucket.put_object(Bucket="scans", Key="in/a.png", Body=make_image())
    assert batch("s3://scans/in", tmp_path / "out", "-f", "text").status == 0
    assert (tmp_path / "out" / "a.png.txt").read_text() == "hello world\n"
    assert _keys(bucket) == set()


def test_bucket_that_cannot_be_reached_is_3(batch, bucket, tmp_path, make_image, monkeypatch):
    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    outcome = batch("s3://scans/in", tmp_path / "out")
    assert outcome.status == 3
    assert "The input cannot be used: EndpointConnectionError" in outcome.err
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(make_image())
    outcome = batch(tmp_path / "in", "s3://scans/out")
    assert outcome.status == 3
    assert "The output cannot be used: EndpointConnectionError" in outcome.err
