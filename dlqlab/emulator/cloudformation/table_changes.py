"""What an update of a stack calls to make of a table another one; no services.

Source: "AWS::DynamoDB::Table" (CloudFormation's template reference), which says how each property is updated. What it
updates by another table is refused, since the items would stay behind.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dlqlab.emulator.cloudformation.support import no_update, plain

TYPE = "AWS::DynamoDB::Table"
ONE_INDEX = "Cannot perform more than one GSI creation or deletion in a single update"
_NOT_UPDATED = ("KeySchema", "LocalSecondaryIndexes", "KinesisStreamSpecification")
_DEFAULTS: Mapping[str, Any] = {
    "BillingMode": "PROVISIONED",
    "DeletionProtectionEnabled": False,
    "TableClass": "STANDARD",
}

type Model = Mapping[str, Any]
"""The properties of a table, as a template has them."""
type Call = tuple[str, dict[str, Any]]
"""A method of a client of DynamoDB and its arguments, without TableName."""


class ChangeError(ValueError):
    """A table cannot be changed so."""


def calls(before: Model, after: Model) -> list[Call]:
    """What makes the table of ``before`` that of ``after``, in order.

    Raises:
        ChangeError: the emulator, or CloudFormation, does not update it so.
    """
    names = [name for name in _NOT_UPDATED if _differs(before, after, name)]
    if _has_other_types(before, after):
        names.append("AttributeDefinitions")
    if names:
        raise ChangeError(no_update(TYPE, names))
    indexes = list(_indexes(before, after))
    if len([one for one in indexes if "Update" not in one]) > 1:
        raise ChangeError(ONE_INDEX)
    definitions = {"AttributeDefinitions": after["AttributeDefinitions"]} if indexes else {}
    made: list[Call] = []
    if given := _settings(before, after):
        made.append(("update_table", given))
    made += [("update_table", {**definitions, "GlobalSecondaryIndexUpdates": [one]}) for one in indexes]
    return [*made, *_stream(before, after), *_expiry(before, after), *_backups(before, after)]


def _differs(before: Model, after: Model, name: str) -> bool:
    default = _DEFAULTS.get(name)
    return bool(plain(before.get(name) or default) != plain(after.get(name) or default))


def _has_other_types(before: Model, after: Model) -> bool:
    types = [
        {one["AttributeName"]: one["AttributeType"] for one in model.get("AttributeDefinitions") or ()}
        for model in (before, after)
    ]
    return any(kind != types[1].get(name, kind) for name, kind in types[0].items())


def _settings(before: Model, after: Model) -> dict[str, Any]:
    given = {name: after.get(name) or _DEFAULTS[name] for name in _DEFAULTS if _differs(before, after, name)}
    is_provisioned = (after.get("BillingMode") or _DEFAULTS["BillingMode"]) == _DEFAULTS["BillingMode"]
    is_new = "BillingMode" in given or _differs(before, after, "ProvisionedThroughput")
    if is_provisioned and is_new and after.get("ProvisionedThroughput"):
        given["ProvisionedThroughput"] = after["ProvisionedThroughput"]
    if _differs(before, after, "SSESpecification"):
        wanted = dict(after.get("SSESpecification") or {"SSEEnabled": False})
        given["SSESpecification"] = {"Enabled": wanted.pop("SSEEnabled"), **wanted}
    return given


def _indexes(before: Model, after: Model) -> Iterator[dict[str, Any]]:
    """One of GlobalSecondaryIndexUpdates each.

    Raises:
        ChangeError: an index has other keys or another projection.
    """
    old, new = (
        {one["IndexName"]: one for one in model.get("GlobalSecondaryIndexes") or ()} for model in (before, after)
    )
    for name in old.keys() - new.keys():
        yield {"Delete": {"IndexName": name}}
    for name, index in new.items():
        if name not in old:
            taken = ("IndexName", "KeySchema", "Projection", "ProvisionedThroughput")
            yield {"Create": {part: index[part] for part in taken if index.get(part)}}
            continue
        if any(_differs(old[name], index, part) for part in ("KeySchema", "Projection")):
            raise ChangeError(no_update(TYPE, [f"GlobalSecondaryIndexes ({name})"]))
        throughput = index.get("ProvisionedThroughput")
        if throughput and _differs(old[name], index, "ProvisionedThroughput"):
            yield {"Update": {"IndexName": name, "ProvisionedThroughput": throughput}}


def _stream(before: Model, after: Model) -> Iterator[Call]:
    if not _differs(before, after, "StreamSpecification"):
        return
    if before.get("StreamSpecification"):
        yield "update_table", {"StreamSpecification": {"StreamEnabled": False}}
    if wanted := after.get("StreamSpecification"):
        view = wanted["StreamViewType"]
        yield "update_table", {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}}


def _expiry(before: Model, after: Model) -> Iterator[Call]:
    old, new = (model.get("TimeToLiveSpecification") or {} for model in (before, after))
    is_on, shall_be = _is_true(old.get("Enabled")), _is_true(new.get("Enabled"))
    if is_on and not shall_be:
        yield (
            "update_time_to_live",
            {"TimeToLiveSpecification": {"AttributeName": old["AttributeName"], "Enabled": False}},
        )
    elif shall_be and (not is_on or old["AttributeName"] != new["AttributeName"]):
        name = new["AttributeName"]
        yield "update_time_to_live", {"TimeToLiveSpecification": {"AttributeName": name, "Enabled": True}}


def _backups(before: Model, after: Model) -> Iterator[Call]:
    name = "PointInTimeRecoverySpecification"
    is_on, shall_be = (_is_true((model.get(name) or {}).get("PointInTimeRecoveryEnabled")) for model in (before, after))
    if is_on != shall_be:
        yield "update_continuous_backups", {name: {"PointInTimeRecoveryEnabled": shall_be}}


def _is_true(value: Any) -> bool:
    return bool(plain(value) == "true")
