// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes into the directory given: private.pem, the RSA key of tests/data, encrypted, and accounts, which tell the emulator
// of an application with its public half.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const key = crypto.createPrivateKey(fs.readFileSync(path.join(__dirname, '..', 'data', 'rsa-2048.pem')));
const privateKey = key.export({
  type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'passphrase',
});
const publicKey = crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' });
const accounts = {
  tokens: [{ token: 'token' }],
  users: [{ id: '7', name: 'Recorder', login: 'recorder@example.com' }],
  clients: [
    { client_id: 'client', client_secret: 'secret' },
    {
      client_id: 'signer',
      client_secret: 'secret',
      enterprise_id: '42',
      user: '7',
      public_keys: { key1: publicKey },
    },
  ],
};
fs.writeFileSync(path.join(process.argv[2], 'private.pem'), privateKey, { mode: 0o600 });
fs.writeFileSync(path.join(process.argv[2], 'accounts'), JSON.stringify(accounts));
