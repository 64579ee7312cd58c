"""Where clients get their settings: for an account from the user's shell and profiles, for an emulator from nowhere."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.configprovider import (
    BOTOCORE_DEFAUT_SESSION_VARIABLES as DEFAULTS,  # botocore's own spelling
)
from botocore.configprovider import (
    ConstantProvider,
)


def users_session(region: str) -> boto3.Session:
    """Credentials, profile, proxies and certificates are the user's own."""
    return boto3.Session(region_name=region)


def isolated_session(*, region: str, access_key: str, secret_key: str) -> boto3.Session:
    """A session that reads neither an environment variable nor a file.

    A profile that this machine lacks, a session token, FIPS or dual-stack endpoints, a retry mode, a bundle of
    certificates would each lead an emulator's client astray.
    """
    core = botocore.session.Session()
    store = core.get_component("config_store")
    settled: dict[str, Any] = {name: default for name, (_key, _variable, default, _convert) in DEFAULTS.items()}
    settled |= {"region": region, "config_file": os.devnull, "credentials_file": os.devnull}
    settled |= {"s3": None, "proxies_config": None}
    for name, value in settled.items():
        store.set_config_provider(name, ConstantProvider(value))
    return boto3.Session(
        botocore_session=core, aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region
    )
