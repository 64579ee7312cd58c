"""LocalStack without Docker: its lifecycle, the parts that it lacks there, and the patches that measure well.

One folder a service; a patch lies beside the code that it uses:

    plugins, startup, boot   what LocalStack's process enters by
    host                     the harness's side: lifecycle, folders, fidelity card
    recorder                 the flight recorder: what happens to messages, invocations, calls
    mappings                 event source mappings of SQS queues
    httpapi                  HTTP APIs of API Gateway (version 2)
    sqs, dynamodb, logs, events, alarms, apigateway
                             the services
    gateway                  from a connection to a service
    functions, runtime       the Lambda service, and the processes that run functions
    metrics                  CloudWatch's metrics
    core                     what all share
    patches, pins, settings  the patches' names and order; what of LocalStack is relied on; how it is configured

Imports go downwards in this list (tests/unit/emulator/test_layers.py).
"""
