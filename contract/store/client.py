"""The store: any S3 endpoint, through boto3. The only module that speaks S3.

Two writers never lose an update: `create` and `swap` are conditional puts (RFC 9110, 13.1), and the
loser gets `Conflict`. An ETag is a digest of the body, so a document under compare-and-swap must
carry a nonce, or an identical body would look like "nobody wrote". It is one class: an
endpoint's errors become our three kinds in one place.
"""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from contract.artifacts import Artifact
from contract.errors import Conflict, InvalidRequest, NotFound, TryAgain
from contract.formatting import format_digest
from contract.store.stored_object import ObjectHead, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Response = TypeVar("Response")

# Connect fast, read patiently: a loaded SeaweedFS answers a losing swap after up to 4 s.
CONNECT_SECONDS = 3
READ_SECONDS = 60
ATTEMPTS = 5
CHUNK_BYTES = 1 << 20

_MISSING = {"404", "NoSuchKey", "NotFound"}
_LOST = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_FORBIDDEN = {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class Store:
    """One bucket. Keys are relative to it; a problem's name is the first part of its keys."""

    def __init__(self, bucket: str, client: "S3Client") -> None:
        self.bucket = bucket
        self._client = client

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Store":
        """Return the store that `PERENNIAL_BUCKET` and the usual AWS names describe.

        Raises:
            InvalidRequest: a name is missing.
        """
        import boto3  # noqa: PLC0415 - 0.2 CPU-s that `perennial validate` must not pay
        from botocore.config import Config  # noqa: PLC0415 - the same

        variables = os.environ if environment is None else environment
        bucket = variables.get("PERENNIAL_BUCKET")
        if not bucket:
            sentence = (
                "PERENNIAL_BUCKET is not set; it names the bucket of the store: "
                "run `perennial up`, or set it with AWS_ENDPOINT_URL and the AWS keys."
            )
            raise InvalidRequest(sentence)
        client = boto3.client(
            "s3",
            endpoint_url=variables.get("AWS_ENDPOINT_URL") or None,
            aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
            region_name=variables.get("AWS_DEFAULT_REGION", "us-east-1"),
            verify=variables.get("AWS_CA_BUNDLE"),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "max_attempts": ATTEMPTS},
                s3={"addressing_style": "path"},
            ),
        )
        return cls(bucket, client)

    @classmethod
    def preload_botocore(cls) -> None:
        """Have botocore read its description of S3, for all processes that are forked from here.

        The first client reads it, in 0.14 CPU-s and 30 MB; no connection is opened.
        """
        cls.from_environment(
            {
                "PERENNIAL_BUCKET": "none",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_ACCESS_KEY_ID": "none",
                "AWS_SECRET_ACCESS_KEY": "none",
            }
        )

    def uri(self, key: str) -> str:
        """Return the URI of `key`."""
        return f"s3://{self.bucket}/{key}"

    def key(self, uri: str) -> str:
        """Return the key behind `uri`.

        Raises:
            InvalidRequest: the URI is not of this bucket.
        """
        start = f"s3://{self.bucket}/"
        if not uri.startswith(start):
            sentence = f"The URI {uri!r} is not in the bucket {self.bucket!r}; use {start}… ."
            raise InvalidRequest(sentence)
        return uri.removeprefix(start)

    def head(self, key: str) -> ObjectHead | None:
        """Return size and ETag of `key`, or None where there is no such object."""
        try:
            response = self._request(key, self._client.head_object, Bucket=self.bucket, Key=key)
        except NotFound:
            return None
        return ObjectHead(bytes=response["ContentLength"], etag=response["ETag"])

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            NotFound: there is no such object.
            TryAgain: the store is away.
        """
        return self._get(key)[0]

    def get_with_etag(self, key: str) -> tuple[bytes, str] | None:
        """Return bytes and ETag for a later `swap`, or None where there is no such object."""
        try:
            return self._get(key)
        except NotFound:
            return None

    def download(self, key: str, path: Path) -> None:
        """Write the bytes of `key` to the file at `path`, without holding them in memory.

        Raises:
            NotFound: there is no such object.
        """
        place = {"Bucket": self.bucket, "Key": key, "Filename": str(path)}
        self._request(key, self._client.download_file, **place)

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Write `key`; for names that hold their own digest, or that only one writer writes."""
        self._request(
            key,
            self._client.put_object,
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
        )

    def put_file(
        self, key: str, path: Path, content_type: str = "application/octet-stream"
    ) -> None:
        """Write the file at `path` to `key`, in parts where it is large."""
        place = {"Bucket": self.bucket, "Key": key, "Filename": str(path)}
        extra = {"ContentType": content_type}
        self._request(key, self._client.upload_file, ExtraArgs=extra, **place)

    def create(self, key: str, body: bytes) -> str:
        """Write `key` only where nothing is there yet; return the ETag.

        Raises:
            Conflict: something is there.
        """
        return self.swap(key, body, None)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write `key` only if it still has `etag` (None: is still absent); return the new ETag.

        Raises:
            Conflict: another writer was first; nothing was written.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        response = self._request(
            key,
            self._client.put_object,
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            **condition,
        )
        return str(response["ETag"])

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Yield the keys under `prefix` behind `start_after`, sorted."""
        yield from (found.key for found in self.objects(prefix, start_after))

    def objects(self, prefix: str, start_after: str = "") -> Iterator[StoredObject]:
        """Yield what lies under `prefix` behind `start_after`, sorted by key."""
        token: dict[str, str] = {"StartAfter": start_after} if start_after else {}
        while True:
            page = self._request(
                prefix, self._client.list_objects_v2, Bucket=self.bucket, Prefix=prefix, **token
            )
            for entry in page.get("Contents", []):
                yield StoredObject(key=entry["Key"], bytes=entry["Size"], etag=entry["ETag"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        """Remove `key`; removing what is not there is no error."""
        self._request(key, self._client.delete_object, Bucket=self.bucket, Key=key)

    def create_bucket(self) -> None:
        """Make the bucket where it is not there yet."""
        try:
            self._request("", self._client.head_bucket, Bucket=self.bucket)
        except NotFound:
            self._request("", self._client.create_bucket, Bucket=self.bucket)

    def read(self, artifact: Artifact) -> bytes:
        """Return the artifact's bytes, checked.

        Raises:
            NotFound: it is gone.
            InvalidRequest: the bytes are not the ones that were named.
        """
        body = self.get(self.key(artifact.uri))
        self._check(artifact, hashlib.sha256(body).hexdigest())
        return body

    def fetch(self, artifact: Artifact, folder: Path) -> Path:
        """Download the artifact into `folder`, checked as in `read`; return the file's path.

        The file is named by its sha256, so a second call finds it there.
        """
        path = folder / artifact.sha256
        if path.exists():
            return path
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{artifact.sha256}.{uuid.uuid4().hex}"
        try:
            self.download(self.key(artifact.uri), partial)
            digest = hashlib.sha256()
            with partial.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
            self._check(artifact, digest.hexdigest())
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def _get(self, key: str) -> tuple[bytes, str]:
        def read(**names: str) -> tuple[bytes, str]:
            response = self._client.get_object(**names)  # type: ignore[arg-type] # plain names
            return response["Body"].read(), response["ETag"]

        return self._request(key, read, Bucket=self.bucket, Key=key)

    def _check(self, artifact: Artifact, digest: str) -> None:
        if digest != artifact.sha256:
            sentence = (
                f"The bytes at {artifact.uri} have the sha256 {format_digest(digest)}…, expected "
                f"{format_digest(artifact.sha256)}…; the object was changed: start a new run."
            )
            raise InvalidRequest(sentence)

    def _request(self, name: str, call: Callable[..., Response], **arguments: Any) -> Response:  # noqa: ANN401 - boto3's own
        """Carry out one request and turn its failure into a sentence with the right exit code."""
        from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 - as in from_environment
        from botocore.exceptions import (  # noqa: PLC0415 - as in from_environment
            BotoCoreError,
            ClientError,
        )

        try:
            return call(**arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            detail = str(error.response.get("Error", {}).get("Message", ""))
            raise self._failure(name, code, detail) from error
        except S3UploadFailedError as error:
            sentence = f"The store did not take {name!r}: {error}; it is tried again."
            raise TryAgain(sentence) from error
        except BotoCoreError as error:
            sentence = f"The store did not answer for {name!r}: {error}; is it up?"
            raise TryAgain(sentence) from error

    def _failure(self, name: str, code: str, detail: str) -> Exception:
        if code in _MISSING or code == "NoSuchBucket":
            what = f"bucket {self.bucket!r}" if code == "NoSuchBucket" else f"object {name!r}"
            return NotFound(f"There is no {what} in the store; check the name.")
        if code in _LOST:
            return Conflict(f"Another writer changed {name!r} first; read it again.")
        if code in _FORBIDDEN:
            return InvalidRequest(
                f"The store refused the credentials for {name!r} ({code}); "
                "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        return TryAgain(f"The store answered {code} for {name!r}: {detail}")
