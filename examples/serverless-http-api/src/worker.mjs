import { createHash } from "node:crypto";
import { note } from "./tasks.mjs";

/** One attempt in four fails; which ones depends on the task and the attempt alone. */
const fails = (id, attempt) => createHash("sha256").update(`${id}/${attempt}`).digest()[0] < 64;

export async function work(event) {
  const batchItemFailures = [];
  for (const { body, messageId, attributes } of event.Records) {
    const { id } = JSON.parse(body);
    const attempt = Number(attributes.ApproximateReceiveCount);
    if (fails(id, attempt)) {
      console.error(`task ${id}: attempt ${attempt} failed`);
      batchItemFailures.push({ itemIdentifier: messageId });
    } else {
      await note(id, "DONE", attempt);
    }
  }
  return { batchItemFailures };
}

/** What was tried three times: the receive of the dead-letter queue is one more of the count. */
export async function giveUp(event) {
  for (const { body, attributes } of event.Records) {
    const { id } = JSON.parse(body);
    await note(id, "FAILED", Number(attributes.ApproximateReceiveCount) - 1);
    console.warn(`task ${id} is given up`);
  }
}
