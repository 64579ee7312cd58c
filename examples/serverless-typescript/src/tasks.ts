import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

export interface Task {
  taskId: string;
  payload: unknown;
}

export type Status = "PENDING" | "DONE" | "FAILED";

const client = new DynamoDBClient({});

/** Note the state of a task, and how often it was tried. */
export async function note(taskId: string, status: Status, attempts: number): Promise<void> {
  await client.send(
    new UpdateItemCommand({
      TableName: process.env.TASKS_TABLE,
      Key: { taskId: { S: taskId } },
      UpdateExpression: "SET #status = :status, attempts = :attempts, updatedAt = :now",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: {
        ":status": { S: status },
        ":attempts": { N: String(attempts) },
        ":now": { S: new Date().toISOString() },
      },
    }),
  );
}
