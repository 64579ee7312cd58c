import { randomUUID } from "node:crypto";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { note, type Task } from "./tasks";

const sqs = new SQSClient({});

function answer(statusCode: number, body: object): APIGatewayProxyResult {
  return { statusCode, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

function parsed(body: string | null): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  const payload = parsed(event.body);
  if (!payload) return answer(400, { message: "the body must be a JSON object" });
  const task: Task = { taskId: typeof payload.id === "string" ? payload.id : randomUUID(), payload };
  await note(task.taskId, "PENDING", 0);
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.TASKS_QUEUE, MessageBody: JSON.stringify(task) }));
  return answer(202, { taskId: task.taskId, status: "PENDING" });
}
