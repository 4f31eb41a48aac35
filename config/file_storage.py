"""Django's STORAGES["files"] from FILE_STORAGE_URL: a folder, or a bucket of an S3-compatible service."""

from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import ParseResult, parse_qsl, unquote, urlparse

from config.env import Env

NAME = "FILE_STORAGE_URL"
SHAPE = f"{NAME} must be file:///ABSOLUTE/FOLDER or s3://BUCKET?endpoint=https://HOST&region=REGION."
MISSING = f"{NAME} names a bucket, which needs django-storages: pip install --require-hashes -r requirements/s3.txt"
ONE_PUT_BYTES = 5 * 1024**3  # the most that S3 takes in one request; a killed upload in parts would stay there, unseen
CONNECT_S, READ_S = 5, 20  # until a request for an object is given up


def read_file_storage(env: Env) -> dict[str, dict[str, Any]]:
    """Return `{"files": …}` for STORAGES, or nothing without a URL. Rejects one that isn't valid."""
    url = env.str("FILE_STORAGE_URL", default="")
    if not url:
        return {}
    try:
        parts = urlparse(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if parts.scheme == "file":
            return {"files": _folder(parts, options)}
        if parts.scheme == "s3":
            if find_spec("storages") and find_spec("boto3"):
                return {"files": _bucket(parts, options)}
            env.reject(NAME, MISSING)
            return {}
    except ValueError:
        pass
    env.reject(NAME, SHAPE)
    return {}


def _folder(parts: ParseResult, options: dict[str, str]) -> dict[str, Any]:
    folder = unquote(parts.path)
    if parts.netloc or options or not PurePosixPath(folder).is_absolute() or folder == "/":
        raise ValueError(folder)
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": folder,
            "allow_overwrite": True,  # a copy that a killed worker has begun
            "file_permissions_mode": 0o640,
            "directory_permissions_mode": 0o750,
        },
    }


def _bucket(parts: ParseResult, options: dict[str, str]) -> dict[str, Any]:
    """Return django-storages' options. Without a key in the URL, boto3 looks for one as on every AWS machine."""
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    has_key = bool(parts.username) == bool(parts.password)
    if not parts.hostname or parts.path.strip("/") or options or not has_key:
        raise ValueError(parts.netloc)
    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        raise ValueError(endpoint)
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "endpoint_url": endpoint,
            "region_name": region,
            "access_key": unquote(parts.username) if parts.username else None,
            "secret_key": unquote(parts.password) if parts.password else None,
            "file_overwrite": True,
            "transfer_config": TransferConfig(multipart_threshold=ONE_PUT_BYTES, use_threads=False),
            "client_config": Config(
                s3={"addressing_style": "path" if endpoint else "auto"},
                signature_version="s3v4",
                connect_timeout=CONNECT_S,
                read_timeout=READ_S,
                retries={"total_max_attempts": 1},  # the worker tries again, and a reader is told at once
                # Other services than AWS's refuse the checksums that boto3 adds to each request.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    }
