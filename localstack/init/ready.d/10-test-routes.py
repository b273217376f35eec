"""Routes for tests, which no S3 request can replace.

GET  /_test/instance          {"pid": …}: which process answers on this port.
POST /_test/s3/last-modified  {"items": [{"bucket", "key", "version_id"?, "at"}, {"bucket", "upload_id", "at"}]}
     sets when an object version, a delete marker or a multipart upload was made. Without `version_id`
     the newest version is meant. All items are looked up before any is changed.
"""

import json
import os
from datetime import datetime, timedelta, timezone

from localstack.http import Request, Response, route
from localstack.services.edge import ROUTER
from localstack.services.s3.models import s3_stores


def answer(status, body):
    return Response(json.dumps(body), status, mimetype="application/json")


def find_bucket(name):
    for _account, regions in s3_stores.items():
        for _region, store in regions.items():
            if name in store.buckets:
                return store.buckets[name]
    raise KeyError(f"no bucket {name!r}")


def find(item):
    """The thing whose time is to be set, the attribute that holds it, and its place among the key's versions."""
    bucket = find_bucket(item["bucket"])
    if "upload_id" in item:
        return bucket.multiparts[item["upload_id"]], "initiated", 0
    stored = bucket.objects._store[item["key"]]
    if not isinstance(stored, dict):
        return stored, "last_modified", 0
    versions = list(stored)
    version = item.get("version_id") or versions[-1]
    return stored[version], "last_modified", versions.index(version)


@route("/_test/instance", methods=["GET"])
def instance(_request: Request):
    return answer(200, {"pid": os.getpid()})


@route("/_test/s3/last-modified", methods=["POST"])
def set_last_modified(request: Request):
    try:
        found = [(find(item), item["at"]) for item in json.loads(request.get_data())["items"]]
        times = [datetime.fromisoformat(at.replace("Z", "+00:00")) for _, at in found]
        if any(time.tzinfo is None for time in times):
            raise ValueError("a time without a zone")
    except (KeyError, ValueError) as error:
        return answer(400, {"error": f"{type(error).__name__}: {error}"})
    for ((thing, attribute, place), _), time in zip(found, times):
        # Versions are listed by time; microseconds, which no answer shows, keep those of one second in order.
        setattr(thing, attribute, time.astimezone(timezone.utc) + timedelta(microseconds=place))
    return answer(200, {"updated": len(found)})


ROUTER.add(instance)
ROUTER.add(set_last_modified)
