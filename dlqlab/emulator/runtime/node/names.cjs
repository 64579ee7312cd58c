'use strict'
/*
What a Node.js function can reach: this machine, the emulator by every name LocalStack has, and what is allowed.

Loaded before a function's code (`node --require`). It stands around `dns.lookup`, the connecting of sockets and the
sending of datagrams, through which http, https, tls, fetch and the AWS SDK go; worker threads have the same rules. The
equal for Python is `function_network`. DLQLAB_NETWORK is JSON with `port`, the emulator's; `ports`, further ones that
mean it; `allow`, a list of HOST:PORT, each part perhaps with `*`; `plain`, the path below which `https` to this machine
means the emulator, which speaks no TLS: providers of custom resources answer at port 443, whatever their ResponseURL says.
*/
const dgram = require('dgram')
const dns = require('dns')
const http = require('http')
const https = require('https')
const module_ = require('module')
const net = require('net')
const os = require('os')
const { urlToHttpOptions } = require('url')
const workers = require('worker_threads')

const VARIABLE = 'DLQLAB_NETWORK'
const LOOPBACK = '127.0.0.1'
const EDGE_PORT = 4566
const TLS_PORT = 443
const EMULATOR = new Set(['localstack', 'localhost.localstack.cloud', 'host.docker.internal'])
const LOCAL = new Set(['', 'localhost', '0.0.0.0', '::', '::1', os.hostname().toLowerCase()])

const text = (host) => (host === undefined || host === null ? '' : String(host).toLowerCase().replace(/\.$/, '').replace(/%.*$/, ''))
const meansEmulator = (name) => EMULATOR.has(name) || name.endsWith('.localhost.localstack.cloud')
const isLocal = (name) => LOCAL.has(name) || /^(127\.|::ffff:127\.)/.test(name) || name.endsWith('.localhost')
const isService = (port) => port >= 4510 && port < 4600 // LocalStack's external services, and its early versions' services
const fits = (pattern, name) =>
  new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(name)

function rulesOf(given) {
  const rules = JSON.parse(given)
  const ports = new Set([EDGE_PORT, ...rules.ports])
  const allow = rules.allow.map((one) => {
    const at = one.lastIndexOf(':')
    return [one.slice(0, at).replace(/^\[|\]$/g, '').toLowerCase(), one.slice(at + 1)]
  })
  const names = new Map() // of addresses that were looked up
  const told = new Set()

  const isAllowed = (name, port) =>
    allow.some(([host, number]) => fits(host, name) && (port === undefined || number === '*' || number === String(port)))

  /* Where an address leads, as [host, port], or the error that refuses it. */
  function place(host, port, call) {
    const name = text(host)
    const number = port === undefined || port === null ? undefined : Number(port)
    if (meansEmulator(name)) return [LOOPBACK, ports.has(number) || isService(number) ? rules.port : port]
    if (isLocal(name)) return [host, ports.has(number) ? rules.port : port]
    if ([name, ...(names.get(name) || [])].some((one) => isAllowed(one, number))) return [host, port]
    return refusal(name, number, call)
  }

  function refusal(name, port, call) {
    const where = `${name.includes(':') ? `[${name}]` : name}:${port === undefined ? '*' : port}`
    const said =
      `${where} is outside of this machine, and functions may not reach it: to allow it, give ` +
      `[network] allow = ["${where}"] in dlqlab.toml or dlqlab up --allow-network ${where}`
    if (!told.has(where)) {
      told.add(where)
      process.stderr.write(`[dlqlab] refused: ${said}\n`)
    }
    const error = new Error(`${call} ECONNREFUSED ${said}`)
    return Object.assign(error, { code: 'ECONNREFUSED', errno: -os.constants.errno.ECONNREFUSED, syscall: call, address: name, port })
  }

  function remember(host, address) {
    if (!names.has(address)) names.set(address, new Set())
    names.get(address).add(text(host))
  }

  /* Where a request by https goes by http, as [host, port]; undefined where it goes as it is. */
  function plainly(host, port, path) {
    const name = text(host)
    const isOwn = meansEmulator(name) && (port === TLS_PORT || ports.has(port) || isService(port))
    const isAnswer = isLocal(name) && String(path || '').startsWith(rules.plain)
    return isOwn || isAnswer ? [LOOPBACK, rules.port] : undefined
  }
  return { place, plainly, remember }
}

function aroundLookups({ place, remember }) {
  const { lookup } = dns
  const { lookup: promised } = dns.promises
  const keep = (host, found) => [found].flat().forEach((one) => remember(host, one.address || one))

  dns.lookup = function (host, options, callback) {
    const done = typeof options === 'function' ? options : callback
    const found = net.isIP(String(host)) ? [host] : place(host, undefined, 'getaddrinfo')
    if (found instanceof Error && typeof done === 'function') return void process.nextTick(done, found)
    const kept = (error, addresses, family) => {
      if (!error && !net.isIP(String(host))) keep(host, addresses)
      done(error, addresses, family)
    }
    const asked = found instanceof Error ? host : found[0]
    if (typeof done !== 'function') return lookup.call(this, asked, options, callback) // it says what is wrong
    return typeof options === 'function' ? lookup.call(this, asked, kept) : lookup.call(this, asked, options, kept)
  }
  dns.promises.lookup = async function (host, options) {
    if (net.isIP(String(host))) return promised.call(this, host, options)
    const found = place(host, undefined, 'getaddrinfo')
    if (found instanceof Error) throw found
    const addresses = await promised.call(this, found[0], options)
    keep(host, addresses)
    return addresses
  }
}

function aroundSockets({ place }) {
  const { connect } = net.Socket.prototype

  net.Socket.prototype.connect = function (...args) {
    const normalized = Array.isArray(args[0]) // as net.connect and tls.connect hand over their arguments
    const [options, host] = normalized ? args[0] : args
    const isObject = typeof options === 'object' && options !== null
    const port = isObject ? options.port : options
    const isPort = typeof port === 'number' || (typeof port === 'string' && /^\d+$/.test(port))
    if (!isPort || (isObject && options.path)) return connect.apply(this, args) // a local socket, or wrong altogether
    const hasHost = isObject ? options.host : typeof host === 'string' ? host : undefined
    const found = place(hasHost, port, 'connect')
    if (found instanceof Error) {
      process.nextTick(() => this.destroy(found))
      return this
    }
    if (found[0] === hasHost && found[1] === port) return connect.apply(this, args)
    if (normalized) args[0][0] = { ...options, host: found[0], port: found[1] }
    else if (isObject) args[0] = { ...options, host: found[0], port: found[1] }
    else args.splice(0, typeof host === 'string' ? 2 : 1, found[1], found[0] || 'localhost')
    return connect.apply(this, args)
  }
}

/* The options of a request and who waits for it, from any of the forms that http.request takes. */
function requested([input, options, callback]) {
  const isUrl = typeof input === 'string' || input instanceof URL
  const more = typeof options === 'object' ? options : undefined
  const done = [options, callback].find((one) => typeof one === 'function')
  return [isUrl ? { ...urlToHttpOptions(new URL(input)), ...more } : { ...input }, done]
}

function aroundHttps({ plainly }) {
  for (const name of ['request', 'get']) {
    const call = https[name]
    https[name] = function (...args) {
      const isUrl = typeof args[0] === 'string'
      if (isUrl ? !URL.canParse(args[0]) : typeof args[0] !== 'object') return call.apply(this, args) // it says what is wrong
      const [options, done] = requested(args)
      const host = options.hostname || options.host
      const found = plainly(host, Number(options.port || TLS_PORT), options.path)
      if (!found) return call.apply(this, args)
      const [hostname, port] = found
      const headers = Array.isArray(options.headers) ? options.headers : { Host: host, ...options.headers }
      const plain = { ...options, protocol: 'http:', host: hostname, hostname, port, headers }
      for (const secure of ['agent', 'createConnection', 'defaultPort']) delete plain[secure]
      return http[name](plain, done)
    }
  }
}

function aroundDatagrams({ place }) {
  const { send, connect } = dgram.Socket.prototype

  function moved(socket, args, at, call) {
    if (typeof args[at] !== 'number') return call.apply(socket, args) // of a connected socket: no address
    const hasHost = typeof args[at + 1] === 'string'
    const found = place(hasHost ? args[at + 1] : undefined, args[at], 'send')
    const done = args[args.length - 1]
    if (found instanceof Error) return void process.nextTick(() => (typeof done === 'function' ? done(found) : socket.emit('error', found)))
    args[at] = found[1]
    if (hasHost) args[at + 1] = found[0]
    return call.apply(socket, args)
  }
  dgram.Socket.prototype.send = function (...args) {
    return moved(this, args, typeof args[2] === 'number' ? 3 : 1, send) // with an offset and a length, or without
  }
  dgram.Socket.prototype.connect = function (...args) {
    return moved(this, args, 0, connect)
  }
}

const given = process.env[VARIABLE] || (workers.isMainThread ? undefined : workers.getEnvironmentData(VARIABLE))
delete process.env[VARIABLE]
if (given) {
  workers.setEnvironmentData(VARIABLE, given)
  const rules = rulesOf(given)
  aroundLookups(rules)
  aroundSockets(rules)
  aroundHttps(rules)
  aroundDatagrams(rules)
  module_.syncBuiltinESMExports()
}
