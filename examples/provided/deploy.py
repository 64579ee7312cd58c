"""Zip the bootstrap, put it into a bucket, create the stack; or update it where it is there."""

import hashlib
import io
import zipfile
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

STACK = "readings"
HERE = Path(__file__).resolve().parent


def zipped(bootstrap: Path) -> bytes:
    """The deployment package: one file that may be run."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(2024, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix: the mode counts
    entry.external_attr = 0o100755 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, bootstrap.read_bytes())
    return package.getvalue()


def main() -> None:
    """Deploy, and wait until it is done."""
    session = boto3.Session()
    account = session.client("sts").get_caller_identity()["Account"]
    bucket, code = f"{STACK}-code-{account}", zipped(HERE / "src" / "bootstrap")
    key = f"{hashlib.sha256(code).hexdigest()[:12]}.zip"
    s3 = session.client("s3")
    if session.region_name == "us-east-1":
        s3.create_bucket(Bucket=bucket)
    else:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": session.region_name})
    s3.put_object(Bucket=bucket, Key=key, Body=code)
    stack(session.client("cloudformation"), {"CodeBucket": bucket, "CodeKey": key})


def stack(client, parameters):
    """Create or update the stack."""
    given = {
        "StackName": STACK,
        "TemplateBody": (HERE / "template.yaml").read_text(encoding="utf-8"),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    try:
        client.create_stack(**given)
        done = "stack_create_complete"
    except client.exceptions.AlreadyExistsException:
        try:
            client.update_stack(**given)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise
        done = "stack_update_complete"
    client.get_waiter(done).wait(StackName=STACK, WaiterConfig={"Delay": 2})


if __name__ == "__main__":
    main()
