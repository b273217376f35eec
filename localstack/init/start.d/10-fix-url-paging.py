"""Repairs listings with `encoding-type=url`.

LocalStack quotes the keys first and then compares them with page markers that are not quoted (or
quoted twice), so a listing loses keys or never ends as soon as a key holds `=`, `+`, a space, `:`
or a letter beyond ASCII. Here the listing is made without encoding, and the answer is quoted.
"""

import base64
import functools
from urllib.parse import quote

from localstack.services.s3 import provider

LISTINGS = ("list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads")
# The elements that S3 documents as encoded; a V2 continuation token is opaque and stays as it is.
ENCODED = ("Delimiter", "Prefix", "Marker", "NextMarker", "KeyMarker", "NextKeyMarker", "StartAfter")
ENTRIES = ("Contents", "Versions", "DeleteMarkers", "Uploads", "CommonPrefixes")


def quote_fields(holder, names):
    for name in names:
        if holder.get(name):
            holder[name] = quote(holder[name])


def repaired(listing):
    @functools.wraps(listing)
    def listed(self, context, *args, encoding_type=None, **kwargs):
        if encoding_type != "url":
            return listing(self, context, *args, encoding_type=encoding_type, **kwargs)
        answer = listing(self, context, *args, **kwargs)
        quote_fields(answer, ENCODED)
        for entries in ENTRIES:
            for entry in answer.get(entries) or ():
                quote_fields(entry, ("Key", "Prefix"))
        answer["EncodingType"] = "url"
        return answer

    return listed


for name in LISTINGS:
    setattr(provider.S3Provider, name, repaired(getattr(provider.S3Provider, name)))


# 4.14.0 writes its tokens as UTF-8 but reads them back as ASCII; 4.13.1 has no such function and no such fault.
def decode_continuation_token(token):
    return "" if token is None else base64.b64decode(token, altchars=b"._").decode()


if hasattr(provider, "decode_continuation_token"):
    provider.decode_continuation_token = decode_continuation_token
