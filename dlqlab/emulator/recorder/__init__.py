"""The flight recorder: the emulator writes down what happens to every message, by whom, and how it went.

queues                       hooks in queues: entering, delivering, leaving; happened is what they share
functions, sources           hooks in Lambda: invocations, and who asks for them; askers is what that says
requests                     hooks in the server and its chain of handlers
actors                       who does what happens now, on this thread
relays                       requests that the emulator sends to itself for others
witness                      gives what the hooks saw to the journal, in order
finish, harmless             what rows need before they are written: hashes, redaction
calls, describe              what calls are about; of most of them readers find it out, by completing
journal, chunks, rows        files: appended by a thread of its own, bounded, torn ends recognised
parts, reader                files to tables, a part at a time
running                      the record of this process: start, state, end

Tables and words are contracts: ``dlqlab.contracts.recording`` and ``recorded``.
"""
