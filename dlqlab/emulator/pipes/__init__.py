"""EventBridge Pipes: from a queue or a table's stream through filter, enrichment and template to a target.

    templates   the input of a target or an enrichment out of an event
    settings    what a pipe takes, and what is refused by name
    targets     how events get to each kind of target
    stages      a batch from its source to its target
    running     the workers of a pipe: pollers of mappings, with a pipe's end
    api         the service's operations
    resource    AWS::Pipes::Pipe
    pipes       the patch

The pollers are those of event source mappings: a pipe differs in what it does with a batch.
"""
