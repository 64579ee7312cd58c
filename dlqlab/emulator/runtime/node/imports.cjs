// Lets ES modules find what NODE_PATH names, as Lambda's runtime does from Node.js 18 on; Node.js itself gives it to
// require alone. Needed where functions see the machine's file system: otherwise links above the code do it.
"use strict";

const Module = require("node:module");

const SOURCE = `
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const require = createRequire(${JSON.stringify(`${process.cwd()}/`)});
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || /^(\\.|\\/|[a-z]+:)/.test(specifier)) throw error;
    let path;
    try { path = require.resolve(specifier); } catch { throw error; }
    return next(pathToFileURL(path).href, context);
  }
}`;

Module.register?.(`data:text/javascript,${encodeURIComponent(SOURCE)}`);
