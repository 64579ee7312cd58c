import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});
const TableName = process.env.TASKS_TABLE;
const KEPT_S = 14 * 24 * 3600;

/** Note the state of a task, and how often it was tried. */
export async function note(id, state, attempts) {
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { id: { S: id } },
      UpdateExpression: "SET #state = :state, attempts = :attempts, expiresAt = :expiresAt",
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: {
        ":state": { S: state },
        ":attempts": { N: String(attempts) },
        ":expiresAt": { N: String(Math.floor(Date.now() / 1000) + KEPT_S) },
      },
    }),
  );
}

/** The state of a task, if there is one of this id. */
export async function state(id) {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: { id: { S: id } } }));
  return Item && { id, state: Item.state.S, attempts: Number(Item.attempts.N) };
}
