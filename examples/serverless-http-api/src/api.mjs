import { randomUUID } from "node:crypto";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { note, state } from "./tasks.mjs";

const sqs = new SQSClient({});

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

function parsed(event) {
  try {
    return JSON.parse(event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body);
  } catch {
    return undefined;
  }
}

export async function submit(event) {
  const payload = parsed(event);
  if (typeof payload !== "object" || payload === null) return answer(400, { message: "send a JSON object" });
  const id = typeof payload.id === "string" ? payload.id : randomUUID();
  await note(id, "QUEUED", 0);
  await sqs.send(
    new SendMessageCommand({ QueueUrl: process.env.TASKS_QUEUE, MessageBody: JSON.stringify({ id, payload }) }),
  );
  return answer(202, { id, state: "QUEUED" });
}

export async function status(event) {
  const found = await state(event.pathParameters.id);
  return found ? answer(200, found) : answer(404, { message: "no task of this id" });
}
