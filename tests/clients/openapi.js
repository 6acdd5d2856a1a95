// SPDX-License-Identifier: LGPL-2.1-or-later
// Stands between this project's programs and the emulator (whose origin is the first argument), and holds every request
// and every reply to what Box published: box-openapi.json. Says where it listens, ends at the end of its input, and prints
// TAP: one test a call.
'use strict';

const http = require('http');
const path = require('path');
const Ajv = require('ajv');
const document = require(path.join(__dirname, 'box-openapi.json'));

// OpenAPI's "nullable" as JSON Schema has it: one without a type, in "allOf", is of the whole.
function translate(schema) {
  if (Array.isArray(schema)) {
    return schema.map(translate);
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  const { nullable, ...rest } = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, translate(value)]));
  const lone = Array.isArray(schema.allOf) && schema.allOf.some((each) => each.nullable && !each.type);
  return (nullable === true && Object.keys(rest).length > 0) || lone ? { anyOf: [rest, { type: 'null' }] } : rest;
}
document.schemas = Object.fromEntries(Object.entries(document.schemas).map(([name, schema]) => [name, translate(schema)]));

const emulator = new URL(process.argv[2]);

// Where Box itself does not do what its document says, by what users of its SDKs see; and calls that it does not publish.
const UNPUBLISHED = [
  /^OPTIONS \/files\/[0-9]+\/content$/, // the preflight of a version: as of a new file
  /^POST \/files\/upload_sessions\/[0-9A-F]+\/plan$/, // named by a session's session_endpoints only
  /^POST \/files\/upload_sessions\/[0-9A-F]+\/log$/, // likewise
  /^GET \/download\//, // where a download redirects to: another host of Box
];
const OTHER_STATUS = {
  'POST /files/{file_id}/content': { 201: '200' }, // a version is answered with 201, as a new file is
  'GET /files/{file_id}/metadata/{scope}/{template_key}': { 200: '201' },
};
const KNOWN = {
  'GET /files/upload_sessions/{upload_session_id}/parts': [
    /sha1 must be string$/, // null, or missing, in the lists of real sessions
  ],
  'OPTIONS /files/content': [
    /upload_token must be string$/, // null, as users of the SDKs see it
    /conflicts must be array$/, // one object: the SDKs of Box read it as that
    /code must be equal to one of the allowed values$/, // item_name_in_use: Box's own guide has it
  ],
  'POST /files/upload_sessions': [/code must be equal to one of the allowed values$/],
  'POST /folders': [/code must be equal to one of the allowed values$/],
  'POST /files/upload_sessions/{upload_session_id}/commit': [
    /sends a member "attributes"$/, // Box's guide of chunked uploads and its SDKs send it
  ],
};
// Made only after a fault: the look-up of a lost commit, and what the probe removes.
const RARE = ['GET /files/{file_id}/versions', 'DELETE /files/{file_id}', 'DELETE /folders/{folder_id}'];
// Headers of HTTP itself, and of every call of Box.
const COMMON_HEADERS = new Set(['host', 'authorization', 'as-user', 'accept-encoding', 'user-agent', 'connection', 'content-type',
  'content-length', 'transfer-encoding', 'accept', 'expect', 'accept-language']);

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, logger: false });
ajv.addSchema({ $id: 'box', components: { schemas: document.schemas } });

const compiled = new Map();
function validator(schema) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) {
    compiled.set(key, ajv.compile(translate(JSON.parse(key.replace(/"#\//g, '"box#/')))));
  }
  return compiled.get(key);
}

const patterns = Object.keys(document.calls).map((name) => {
  const [method, template] = name.split(' ');
  const variables = (template.match(/\{/g) || []).length;
  return { name, method, variables, expression: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`) };
}).sort((a, b) => a.variables - b.variables);

const seen = new Map();
function note(name, problems) {
  const entry = seen.get(name) || { times: 0, problems: new Set() };
  const known = KNOWN[name] || [];
  entry.times += 1;
  problems.filter((problem) => !known.some((each) => each.test(problem))).forEach((problem) => entry.problems.add(problem));
  seen.set(name, entry);
}

function resolve(schema) {
  return schema.$ref ? document.schemas[schema.$ref.split('/').pop()] : schema;
}

// What is sent beyond the document, at the top: the schemas allow anything there.
function unknownMembers(schema, value) {
  const { properties, allOf } = resolve(schema);
  if (!properties || allOf || typeof value !== 'object' || Array.isArray(value)) {
    return [];
  }
  return Object.keys(value).filter((key) => !(key in properties)).map((key) => `sends a member "${key}"`);
}

function checkJson(schema, text, what) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problems: [`${what} is not JSON`] };
  }
  const validate = validator(schema);
  validate(value);
  return { value, problems: (validate.errors || []).map((e) => `${what}${e.instancePath} ${e.message}`) };
}

function checkBody(call, request, body) {
  const type = (request.headers['content-type'] || '').split(';')[0];
  const kinds = Object.keys(call.body);
  if (kinds.length === 0) {
    return body.length > 0 ? ['has a body'] : [];
  }
  if (!kinds.includes(type)) {
    return [`is sent as "${type}", not ${kinds.join(' or ')}`];
  }
  const schema = call.body[type];
  if (type === 'application/json' || type === 'application/json-patch+json') {
    const { value, problems } = checkJson(schema, body, 'the request');
    return problems.concat(value ? unknownMembers(schema, value) : []);
  }
  if (type === 'application/x-www-form-urlencoded') {
    const value = Object.fromEntries(new URLSearchParams(body.toString()));
    const validate = validator(schema);
    validate(value);
    return (validate.errors || []).map((e) => `the form${e.instancePath} ${e.message}`).concat(unknownMembers(schema, value));
  }
  return [];
}

function checkParameters(call, request, query) {
  const problems = [];
  const named = (where) => new Map(call.parameters.filter((p) => p.in === where).map((p) => [p.name, p]));
  const queries = named('query');
  const headers = named('header');
  for (const name of query.keys()) {
    if (!queries.has(name)) {
      problems.push(`has a query "${name}"`);
    }
  }
  for (const name of Object.keys(request.headers)) {
    if (!headers.has(name) && !COMMON_HEADERS.has(name)) {
      problems.push(`has a header "${name}"`);
    }
  }
  for (const [name, parameter] of [...queries, ...headers]) {
    if (parameter.required && !query.has(name) && !(name in request.headers)) {
      problems.push(`lacks "${name}"`);
    }
  }
  return problems;
}

function checkReply(name, call, reply, body) {
  const status = String((OTHER_STATUS[name] || {})[reply.statusCode] || reply.statusCode);
  const published = call.replies[status] || (reply.statusCode >= 400 ? call.replies.default : null);
  if (!published) {
    return [`is answered with ${reply.statusCode}`];
  }
  const schema = published.content['application/json'];
  // A 401 of Box says all in WWW-Authenticate.
  if (!schema || (reply.statusCode === 401 && body.length === 0)) {
    return [];
  }
  return checkJson(schema, body, 'the reply').problems;
}

function judge(request, body, reply, answer) {
  const url = new URL(request.url, 'http://box');
  const place = url.pathname.replace(/^(\/api)?\/2\.0/, '');
  const found = patterns.find((p) => p.method === request.method && p.expression.test(place));
  if (!found) {
    if (!UNPUBLISHED.some((expression) => expression.test(`${request.method} ${place}`))) {
      note(`${request.method} ${place}`, ['is not in the document']);
    }
    return;
  }
  const call = document.calls[found.name];
  note(found.name, [...checkParameters(call, request, url.searchParams), ...checkBody(call, request, body),
    ...checkReply(found.name, call, reply, answer)]);
}

function read(stream) {
  return new Promise((done) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => done(Buffer.concat(chunks)));
    stream.on('error', () => done(Buffer.concat(chunks)));
  });
}

async function forward(request, response) {
  const body = await read(request);
  const headers = { ...request.headers, 'content-length': body.length };
  delete headers['transfer-encoding'];
  const out = http.request({ host: emulator.hostname, port: emulator.port, method: request.method, path: request.url,
    headers });
  out.on('response', async (reply) => {
    const answer = await read(reply);
    judge(request, body, reply, answer);
    response.writeHead(reply.statusCode, { ...reply.headers });
    response.end(answer);
  });
  out.on('error', () => response.destroy());
  out.end(body);
}

// The calls that must have been made: all that the programs make and Box publishes.
const EXPECTED = Object.keys(document.calls).filter((name) => !RARE.includes(name));

function finish() {
  const names = [...new Set([...EXPECTED, ...seen.keys()])].sort();
  let failed = false;
  names.forEach((name, i) => {
    const entry = seen.get(name);
    const problems = entry ? [...entry.problems] : ['was not made'];
    failed = failed || problems.length > 0;
    console.log(`${problems.length > 0 ? 'not ok' : 'ok'} ${i + 1} - ${name} is as Box published it (${entry ? entry.times : 0} times)`);
    problems.forEach((problem) => console.log(`# ${problem}`));
  });
  console.log(`1..${names.length}`);
  process.exit(failed ? 1 : 0);
}

const server = http.createServer(forward);
server.listen(0, '127.0.0.1', () => {
  process.stderr.write(`http://127.0.0.1:${server.address().port}\n`);
});
process.stdin.on('data', () => {}).on('end', finish);
