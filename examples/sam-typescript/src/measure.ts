import type { SQSBatchItemFailure, SQSBatchResponse, SQSEvent } from "aws-lambda";

interface Image {
  id: string;
}

/** One attempt in six finds the image not ready; which ones depends on image and attempt alone. */
function ready(image: Image, attempt: number): boolean {
  let sum = attempt;
  for (const letter of image.id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum % 6 !== 0;
}

export const handler = async (event: SQSEvent): Promise<SQSBatchResponse> => {
  const batchItemFailures: SQSBatchItemFailure[] = [];
  for (const record of event.Records) {
    const image = JSON.parse(record.body) as Image;
    if (ready(image, Number(record.attributes.ApproximateReceiveCount))) {
      console.log(`measured ${image.id}`);
    } else {
      console.error(`image ${image.id} is not ready`);
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
};
