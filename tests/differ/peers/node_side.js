#!/usr/bin/env node
// Has node's http client, whose parser is llhttp, read each input of standard input (JSON lines of
// differ_feed), and prints what it made of it: {"outcome", "status", "fields", "body", "reuse", "why"}.
'use strict';

const http = require('http');
const readline = require('readline');
const {Duplex} = require('stream');

// What node asks of a socket, over bytes that are there at once.
class Peer extends Duplex {
  constructor() {
    super({allowHalfOpen: false});
    this.asked = new Promise((resolve) => { this.tell = resolve; });
  }
  _read() {}
  _write(chunk, encoding, done) {
    this.tell();
    done();
  }
  setTimeout() { return this; }
  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  ref() { return this; }
  unref() { return this; }
}

const turns = async (n) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function verdict(given) {
  const peer = new Peer();
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  const out = {outcome: 'unfinished', why: ''};
  const body = [];
  const refuse = (error) => {
    if (out.outcome === 'unfinished') {
      out.outcome = 'refused';
      out.why = String(error && (error.code || error.message)).slice(0, 80);
    }
  };
  const headers = {};

  agent.createConnection = () => peer;
  peer.on('error', () => {});
  if (given.upgrade) Object.assign(headers, {Connection: 'Upgrade', Upgrade: given.upgrade});
  if (given.close) headers.Connection = 'close';
  const request = http.request({host: 'a', method: given.method, path: '/', agent, headers});
  const note = (response, outcome) => {
    out.status = response.statusCode;
    out.fields = [];
    for (let i = 0; i < response.rawHeaders.length; i += 2) {
      out.fields.push([response.rawHeaders[i], response.rawHeaders[i + 1]]);
    }
    if (outcome) out.outcome = outcome;
  };

  request.on('error', refuse);
  request.on('close', () => refuse({code: 'closed'}));
  request.on('connect', (response) => note(response, 'switched'));
  if (given.upgrade) request.on('upgrade', (response) => note(response, 'switched'));
  request.on('response', (response) => {
    note(response, null);
    response.on('data', (piece) => body.push(piece));
    response.on('aborted', () => refuse({code: 'aborted'}));
    response.on('error', refuse);
    response.on('end', () => {
      if (!response.complete) refuse({code: 'incomplete'});
      else if (out.outcome === 'unfinished') out.outcome = 'whole';
    });
  });
  request.end();
  await peer.asked;
  if (given.bytes.length > 0) peer.push(Buffer.from(given.bytes, 'hex'));
  await turns(8);
  out.reuse = Object.keys(agent.freeSockets).length > 0 && !peer.destroyed;
  if (given.eof && out.outcome === 'unfinished') {
    peer.push(null);
    await turns(8);
  }
  out.body = Buffer.concat(body).toString('hex');
  const result = JSON.stringify(out);
  out.outcome = 'over';
  peer.destroy();
  agent.destroy();
  await turns(1);
  return result;
}

async function main() {
  process.on('uncaughtException', () => {});
  for await (const line of readline.createInterface({input: process.stdin})) {
    process.stdout.write(await verdict(JSON.parse(line)) + '\n');
  }
}

main();
