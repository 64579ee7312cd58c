// First code of a Node.js function's process: hands over to AWS's runtime interface client, index.mjs beside this file.
//
// Started as `node [OPTION]... bootstrap.cjs lifeline=FD [hook=FILE] emulator=FOLDER`. Of AWS's client only the compiled
// transport, rapid-client.node, is replaced, by rapid-client.cjs; loading of the handler, the console's format and the
// documents of errors are AWS's own.
"use strict";

const Module = require("node:module");
const net = require("node:net");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const TRANSPORT = "./rapid-client.node";
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

function options() {
  return Object.fromEntries(process.argv.slice(2).map((argument) => [argument.split("=", 1)[0], argument.replace(/^[^=]*=/, "")]));
}

/** End this process when the emulator is gone. A socket, since a read of the file would hold a thread of libuv's. */
function dieWith(fd) {
  const lifeline = new net.Socket({ fd, readable: true, writable: false });
  for (const event of ["end", "error", "close"]) lifeline.once(event, () => process.kill(process.pid, "SIGKILL"));
  lifeline.resume();
  lifeline.unref();
}

function replaceTransport() {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    if (request !== TRANSPORT) return load.call(this, request, ...rest);
    Module._load = load; // asked for once
    return load.call(this, path.join(__dirname, "rapid-client.cjs"), ...rest);
  };
}

/** A handler that would stream its response is marked by AWS's client; here the mark is an error of the init. */
function refuseStreaming() {
  Object.defineProperty(Function.prototype, STREAMING, {
    configurable: true,
    set() {
      throw new Error(
        "awslambda.streamifyResponse: the emulator does not stream responses; give a handler that returns its result",
      );
    },
  });
}

function main() {
  const given = options();
  dieWith(Number(given.lifeline));
  replaceTransport();
  refuseStreaming();
  if (given.hook) require(given.hook);
  const runtime = path.join(process.env.LAMBDA_RUNTIME_DIR, "index.mjs");
  process.argv.splice(1, process.argv.length, runtime);
  process.chdir(process.env.LAMBDA_TASK_ROOT);
  import(pathToFileURL(runtime))
    .then(({ run }) => run?.(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER)) // from version 4 on it runs by itself
    .catch((error) => setImmediate(() => { throw error; })); // for its own handler of uncaught exceptions
}

main();
