import { createHash } from "node:crypto";
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { note, type Task } from "./tasks";

/** Three attempts in ten fail; which ones depends on the task and the attempt alone. */
function fails(taskId: string, attempt: number): boolean {
  return createHash("sha256").update(`${taskId}/${attempt}`).digest().readUInt32BE(0) / 2 ** 32 < 0.3;
}

async function work(record: SQSRecord): Promise<void> {
  const { taskId } = JSON.parse(record.body) as Task;
  const attempt = Number(record.attributes.ApproximateReceiveCount);
  if (fails(taskId, attempt)) throw new Error(`task ${taskId}: attempt ${attempt} failed`);
  await note(taskId, "DONE", attempt);
}

export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  const results = await Promise.allSettled(event.Records.map(work));
  const batchItemFailures = results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    console.error(String(result.reason));
    return [{ itemIdentifier: event.Records[index].messageId }];
  });
  return { batchItemFailures };
}
