// SPDX-License-Identifier: LGPL-2.1-or-later
// Uploads a file in parts by Box's Node SDK: node upload.js NODE_MODULES FILE
'use strict';

const fs = require('fs');
const path = require('path');
const [modules, file] = process.argv.slice(2);
const BoxSDK = require(path.join(modules, 'box-node-sdk'));

async function main() {
  const client = new BoxSDK({ clientID: 'bench', clientSecret: 'bench' }).getBasicClient('bench');
  const size = fs.statSync(file).size;
  const uploader = await client.files.getChunkedUploader('0', size, 'bench.bin', fs.createReadStream(file));
  await uploader.start();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
