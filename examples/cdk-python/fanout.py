"""The stack: a topic with two queues behind it, a function behind each queue."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs


class FanOut(cdk.Stack):
    """Orders for stock and mail."""

    def __init__(self, scope, name):
        """Orders for stock and mail."""
        super().__init__(scope, name)
        orders = sns.Topic(self, "Orders")
        for work in ("Stock", "Mail"):
            self.branch(orders, work)

    def branch(self, orders, work):
        """One queue of the topic, with its function and its dead-letter queue."""
        dead = sqs.Queue(self, f"{work}Dead", retention_period=cdk.Duration.days(14))
        queue = sqs.Queue(
            self,
            f"{work}Queue",
            visibility_timeout=cdk.Duration.seconds(18),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=3),
        )
        orders.add_subscription(subscriptions.SqsSubscription(queue))
        function = lambda_.Function(
            self,
            work,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler=f"{work.lower()}.handler",
            code=lambda_.Code.from_asset("src"),
            timeout=cdk.Duration.seconds(3),
        )
        function.add_event_source(sources.SqsEventSource(queue, batch_size=5, report_batch_item_failures=True))


app = cdk.App()
FanOut(app, "FanOut")
app.synth()
