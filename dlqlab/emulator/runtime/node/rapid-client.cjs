// The transport of AWS's runtime interface client for Node.js, without what is compiled: next, done and error over one
// kept-alive connection. Paths and headers: "Using the Lambda runtime API" (AWS Lambda developer guide).
//
// As with the compiled one, a result is on its way when done or error return, so that a process may exit after them, and
// nothing but next keeps the event loop alive.
"use strict";

const fs = require("node:fs");
const net = require("node:net");

const API = process.env.AWS_LAMBDA_RUNTIME_API;
const PREFIX = "/2018-06-01/runtime/invocation";
const HEAD_END = "\r\n\r\n";
const NUMBERS = new Set(["lambda-runtime-deadline-ms"]);
const RETRY_MS = 1;

const waiting = []; // one per request, in order: takes the response
let socket;
let buffer; // what was received and not yet taken
let parts = []; // the same, in pieces
let held = 0;
let needed = 0; // bytes until the next response is complete, where its head is here
let gone;

function connect() {
  const end = API.lastIndexOf(":");
  socket = net.connect({ host: API.slice(0, end), port: Number(API.slice(end + 1)), noDelay: true });
  socket.on("data", take);
  for (const event of ["error", "end"]) socket.on(event, (error) => fail(error ?? new Error("the Runtime API is gone")));
  return new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
}

function fail(error) {
  gone = error;
  for (const { reject } of waiting.splice(0)) reject?.(error);
}

function take(chunk) {
  parts.push(chunk);
  held += chunk.length;
  if (held < needed) return; // a large event is put together once
  buffer = parts.length === 1 ? chunk : Buffer.concat(parts);
  for (let response = parse(); response; response = parse()) waiting.shift()?.resolve?.(response);
  parts = buffer.length ? [buffer] : [];
  held = buffer.length;
}

/** Take one complete response off the buffer; undefined while it is incomplete. */
function parse() {
  needed = 0;
  const end = buffer.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const [first, ...lines] = buffer.toString("latin1", 0, end).split("\r\n");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = NUMBERS.has(name) ? Number(value) : value;
  }
  const start = end + HEAD_END.length;
  const stop = start + Number(headers["content-length"] ?? 0);
  if (buffer.length < stop) {
    needed = stop;
    return undefined;
  }
  const bodyJson = buffer.toString("utf8", start, stop);
  buffer = buffer.subarray(stop);
  return { status: Number(first.split(" ")[1]), headers, bodyJson };
}

/** Write at once, whatever the event loop does afterwards; a full connection is waited for. */
function send(text) {
  const bytes = Buffer.from(text);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += fs.writeSync(socket._handle.fd, bytes, sent);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function post(id, kind, body, headers = "") {
  waiting.push({}); // whether it was taken is the emulator's affair, as with the compiled transport
  const size = Buffer.byteLength(body);
  send(
    `POST ${PREFIX}/${id}/${kind} HTTP/1.1\r\nHost: ${API}\r\nContent-Type: application/json\r\n` +
      `${headers}Content-Length: ${size}${HEAD_END}${body}`,
  );
}

const connected = connect();
connected.catch(() => {}); // next tells it

module.exports = {
  initializeClient() {},

  async next() {
    await connected;
    if (gone) throw gone;
    socket.ref();
    try {
      return await new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        send(`GET ${PREFIX}/next HTTP/1.1\r\nHost: ${API}${HEAD_END}`);
      });
    } finally {
      socket.unref();
    }
  },

  done(id, body) {
    post(id, "response", body);
  },

  error(id, body, xray) {
    // A header has no characters of two bytes: JSON's escapes stand for them.
    const cause = xray.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
    post(id, "error", body, `Lambda-Runtime-Function-XRay-Error-Cause: ${cause}\r\n`);
  },
};
