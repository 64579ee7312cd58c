"""Terraform's AWS provider gets queue URLs of AWS's form, as it takes no other.

That is ``/ACCOUNT/NAME``: AWS's URLs have the region in their host. LocalStack's, by the strategy that needs no name
server, have it in their path, ``/queue/REGION/ACCOUNT/NAME``, which the provider refuses: "SQS Queue URL ... is in the
incorrect format". By a URL without a region a queue is looked for in the region that the request is signed for.
"""

from localstack.services.sqs.models import SqsQueue
from localstack.utils.patch import patch as replace

PROVIDERS = ("terraform", "pulumi")
"""In the user agents of those that parse a URL so: Terraform's and OpenTofu's provider, and what is built on it."""


def is_of_provider(user_agent: str) -> bool:
    """Whether a request comes from one of them."""
    return any(name in user_agent.lower() for name in PROVIDERS)


def without_region(url: str, region: str) -> str:
    """``http://host/queue/REGION/ACCOUNT/NAME`` as ``http://host/ACCOUNT/NAME``; others stay."""
    return url.replace(f"/queue/{region}/", "/", 1)


def patch() -> None:

    @replace(SqsQueue.url)
    def url(original, self, context):  # type: ignore[no-untyped-def]
        found = original(self, context)
        request = context.request
        is_asked_so = request is not None and is_of_provider(request.headers.get("User-Agent", ""))
        return without_region(found, self.region) if is_asked_so else found
