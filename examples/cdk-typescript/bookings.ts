import { App, Duration, Stack } from "aws-cdk-lib";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

class Bookings extends Stack {
  constructor(scope: Construct, name: string) {
    super(scope, name);
    const refused = new Queue(this, "Refused", { fifo: true, retentionPeriod: Duration.days(14) });
    const bookings = new Queue(this, "BookingsQueue", {
      fifo: true,
      contentBasedDeduplication: true,
      visibilityTimeout: Duration.seconds(10),
      deadLetterQueue: { queue: refused, maxReceiveCount: 5 },
    });
    const book = new Function(this, "Book", {
      runtime: Runtime.NODEJS_20_X,
      handler: "book.handler",
      code: Code.fromAsset("src"),
      timeout: Duration.seconds(2),
    });
    book.addEventSource(new SqsEventSource(bookings, { batchSize: 5, reportBatchItemFailures: true }));
  }
}

const app = new App();
new Bookings(app, "Bookings");
