// SPDX-License-Identifier: LGPL-2.1-or-later
// Box's Node SDK against the emulator, whose origin is the first argument. Prints TAP.
'use strict';

const assert = require('assert');
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const BoxSDK = require('box-node-sdk');

const origin = process.argv[2];
const settings = {
  clientID: 'client',
  clientSecret: 'secret',
  apiRootURL: origin,
  uploadAPIRootURL: `${origin}/api`,
  numMaxRetries: 0,
};
const sdk = new BoxSDK(settings);
const client = sdk.getBasicClient('token');

async function download(id) {
  const stream = await client.files.getReadStream(id);
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sha1(data) {
  return crypto.createHash('sha1').update(data).digest('hex');
}

async function checkFile(reply, name, data) {
  const file = reply.entries[0];
  assert.strictEqual(reply.total_count, 1);
  assert.strictEqual(file.name, name);
  assert.strictEqual(file.size, data.length);
  assert.strictEqual(file.sha1, sha1(data));
  assert.ok(data.equals(await download(file.id)));
  return file;
}

// The sink, with the file's bytes; returns what it posted on the bus.
function record(name, data, properties) {
  fs.writeFileSync(name, data);
  return execFileSync('gst-launch-1.0', ['-m', 'filesrc', `location=${name}`, '!', 'boxuploadsink', ...properties], {
    encoding: 'utf8',
    env: { ...process.env, BOX_ACCESS_TOKEN: 'token', BOX_ENDPOINT: `${origin}/api/2.0`, BOX_API_ENDPOINT: `${origin}/2.0` },
  });
}

async function findByName(name) {
  const items = await client.folders.getItems('0', { fields: 'name,size,sha1', limit: 1000 });
  return items.entries.find((entry) => entry.name === name);
}

async function uploadInSession(name, size, options) {
  const data = crypto.randomBytes(size);
  const uploader = await client.files.getChunkedUploader('0', size, name, data, options);
  return checkFile(await uploader.start(), name, data);
}

const tests = {
  'the SDK uploads a small file and reads it back': async () => {
    const data = crypto.randomBytes(1000000);
    await checkFile(await client.files.uploadFile('0', 'small', data), 'small', data);
  },
  'the SDK uploads a large file in a session and reads it back': async () => {
    const file = await uploadInSession('large', 20000003, {});
    assert.strictEqual(file.etag, '0');
  },
  'the SDK uploads whole multiples of the part size': async () => {
    await uploadInSession('exact', 3 * 8388608, {});
  },
  'the SDK uploads parts in parallel and attributes with the commit': async () => {
    const attributes = { description: 'by the SDK' };
    const file = await uploadInSession('attributes', 50000000, {
      parallelism: 4,
      fileAttributes: attributes,
    });
    assert.strictEqual(file.description, attributes.description);
  },
  'the SDK uploads a new version in a session': async () => {
    const first = crypto.randomBytes(1000);
    const second = crypto.randomBytes(20000000);
    const file = (await client.files.uploadFile('0', 'version', first)).entries[0];
    const uploader = await client.files.getNewVersionChunkedUploader(
      file.id, second.length, second);
    const newer = await checkFile(await uploader.start(), 'version', second);
    assert.strictEqual(newer.id, file.id);
    assert.strictEqual((await client.files.getVersions(file.id)).total_count, 1);
  },
  'the SDK uploads a new version in one request': async () => {
    const first = crypto.randomBytes(1000);
    const second = crypto.randomBytes(2000);
    const file = (await client.files.uploadFile('0', 'versions', first)).entries[0];
    await checkFile(await client.files.uploadNewFileVersion(file.id, second), 'versions', second);
  },
  'the SDK learns what became of a session': async () => {
    const session = await client.files.createUploadSession('0', 20000000, 'session');
    const part = crypto.randomBytes(session.part_size);
    const reply = await client.files.uploadPart(session.id, part, 0, 20000000);
    assert.strictEqual(reply.part.sha1, sha1(part));
    const parts = await client.files.getUploadSessionParts(session.id);
    assert.strictEqual(parts.entries[0].part_id, reply.part.part_id);
    const status = await client.files.getUploadSession(session.id);
    assert.strictEqual(status.num_parts_processed, 1);
    await client.files.abortUploadSession(session.id);
    await assert.rejects(client.files.getUploadSession(session.id), { statusCode: 404 });
  },
  'the sink finishes a session that the SDK began': async () => {
    const data = crypto.randomBytes(30000001);
    const session = await client.files.createUploadSession('0', data.length, 'begun-by-the-sdk');
    await client.files.uploadPart(session.id, data.subarray(0, session.part_size), 0, data.length);
    const posted = record('begun-by-the-sdk', data, [`session=${session.id}`, `total-size=${data.length}`]);
    assert.match(posted, /boxuploadsink-complete/);
    assert.strictEqual((posted.match(/boxuploadsink-part,.*adopted=\(boolean\)true/g) || []).length, 1);
    const file = await findByName('begun-by-the-sdk');
    assert.strictEqual(file.sha1, sha1(data));
    assert.ok(data.equals(await download(file.id)));
  },
  'the SDK finishes a session that the sink began': async () => {
    const data = crypto.randomBytes(30000001);
    const posted = record('begun-by-the-sink', data, ['location=box://0/begun-by-the-sink', 'commit=false']);
    const id = /boxuploadsink-filled,.*session-id=\(string\)([0-9A-F]+)/.exec(posted)[1];
    assert.strictEqual(await findByName('begun-by-the-sink'), undefined);
    const digest = crypto.createHash('sha1').update(data).digest('base64');
    await checkFile(await client.files.commitUploadSession(id, digest), 'begun-by-the-sink', data);
  },
  'the SDK is told of a conflict before it uploads': async () => {
    await client.files.uploadFile('0', 'taken', 'x');
    const data = { name: 'TAKEN', size: 10 };
    await assert.rejects(client.files.preflightUploadFile('0', data), (error) => {
      assert.strictEqual(error.statusCode, 409);
      assert.strictEqual(error.response.body.context_info.conflicts.name, 'taken');
      return true;
    });
    await client.files.preflightUploadFile('0', { name: 'free', size: 10 });
  },
  'the SDK makes folders and lists them': async () => {
    const folder = await client.folders.create('0', 'folder');
    await client.files.uploadFile(folder.id, 'inside', 'x');
    const items = await client.folders.getItems(folder.id);
    assert.deepStrictEqual(items.entries.map((entry) => entry.name), ['inside']);
  },
  'the SDK gets tokens by client credentials': async () => {
    const configured = new BoxSDK({ ...settings, enterpriseID: '1' });
    const user = await configured.getAnonymousClient().users.get('me');
    assert.strictEqual(user.type, 'user');
  },
  'the SDK signs in as an application with a key': async () => {
    const configured = new BoxSDK({
      ...settings,
      clientID: 'signer',
      appAuth: {
        keyID: 'key1',
        privateKey: process.env.PRIVATE_KEY,
        passphrase: 'passphrase',
      },
    });
    const user = await configured.getAppAuthClient('enterprise', '42').users.get('me');
    assert.strictEqual(user.login, 'recorder@example.com');
    await assert.rejects(configured.getAppAuthClient('enterprise', '43').users.get('me'));
  },
};

async function main() {
  let number = 0;
  let failed = false;
  for (const [name, test] of Object.entries(tests)) {
    number += 1;
    try {
      await test();
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      failed = true;
      console.log(`not ok ${number} - ${name}`);
      console.log(`${error.stack}`.replace(/^/gm, '# '));
    }
  }
  console.log(`1..${number}`);
  process.exit(failed ? 1 : 0);
}

main();
