"""Names of parameters that hold expressions, their names and values."""

CONDITION, UPDATE, FILTER = "ConditionExpression", "UpdateExpression", "FilterExpression"
KEY_CONDITION, PROJECTION = "KeyConditionExpression", "ProjectionExpression"
NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"
