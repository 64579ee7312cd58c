import type { SQSEvent } from "aws-lambda";
import { note, type Task } from "./tasks";

/** A message keeps its receive count when it is dead-lettered; this receive is one of the count. */
export async function handler(event: SQSEvent): Promise<void> {
  for (const record of event.Records) {
    const { taskId } = JSON.parse(record.body) as Task;
    await note(taskId, "FAILED", Number(record.attributes.ApproximateReceiveCount) - 1);
    console.warn(`task ${taskId} is given up`);
  }
}
