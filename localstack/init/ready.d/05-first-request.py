"""Makes the first S3 request while nobody else asks.

LocalStack counts a service as loaded a moment before it answers for it, so that of many first requests at
once some hear "no handler for operation" (501).
"""

from localstack.aws.connect import connect_to

connect_to().s3.list_buckets()
