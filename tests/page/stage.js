// SPDX-License-Identifier: LGPL-2.1-or-later
// A stage for the page of "boxupload watch": an emulated Box, a spool with recordings, the daemon, and Debian's Chromium.
// Everything is in one temporary directory, listens on loopback only, and is gone after close().
'use strict';

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const { chromium } = createRequire(path.join(__dirname, '../clients/package.json'))('playwright-core');

const CHROMIUM = '/usr/bin/chromium';
// For what must happen, seconds: a slow machine is no failure.
const PATIENCE = 300;
const MB = 1000 * 1000;

const sleep = ms => new Promise(resolve => { setTimeout(resolve, ms); });

// A line of a journal, as docs/spool.md describes it.
function journalLine(record) {
  const text = JSON.stringify(record).slice(0, -1);
  const check = crypto.createHash('sha1').update(text).digest('hex').slice(0, 8);
  return `${text},"check":"${check}"}\n`;
}

class Stage {
  // build: meson's directory.
  constructor(build) {
    this.build = build;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'boxupload-page-'));
    this.spool = path.join(this.dir, 'spool');
    fs.mkdirSync(this.spool, { mode: 0o700 });
    this.children = [];
    this.count = 0;
    this.origin = 'https://127.0.0.1:9'; // nothing is there
    this.standardError = '';
  }

  // Starts a program of the build; its lines go to onLine.
  start(program, args, onLine, stdio = ['ignore', 'pipe', 'pipe']) {
    const env = {
      PATH: process.env.PATH, HOME: this.dir, XDG_STATE_HOME: this.dir, BOX_ACCESS_TOKEN: 'token', LC_ALL: 'C.UTF-8',
      BOXUPLOAD_TEST_RUN: process.env.BOXUPLOAD_TEST_RUN || '', BOX_ENDPOINT: `${this.origin}/api/2.0`, BOX_API_ENDPOINT: `${this.origin}/2.0`, BOX_CA_FILE: path.join(this.dir, 'box/ca.pem'),
    };
    const child = spawn(path.join(this.build, program), args, { stdio, env });
    child.gone = new Promise(resolve => { child.on('close', resolve); });
    for (const stream of [child.stdout, child.stderr]) {
      readline.createInterface({ input: stream }).on('line', line => {
        this.standardError += `${line}\n`;
        onLine(line);
      });
    }
    this.children.push(child);
    return child;
  }

  // As start(), until a line matches; its first group.
  async startUntil(pattern, program, args) {
    let found;
    const match = new Promise(resolve => { found = resolve; });
    const child = this.start(program, args, line => { const m = pattern.exec(line); if (m) found(m[1]); });
    const value = await Promise.race([match, child.gone.then(() => null)]);
    if (value === null) throw new Error(`${program} ended: ${this.standardError}`);
    return [child, value];
  }

  // rules: of a scenario.
  async startBox(rules = [], args = []) {
    const scenario = path.join(this.dir, 'scenario.json');
    fs.writeFileSync(scenario, JSON.stringify({ rules }));
    [this.box, this.origin] = await this.startUntil(/^listening on (https:.*)$/, 'tests/emulator/box-emulator',
      ['--dir', path.join(this.dir, 'box'), '--scenario', scenario, ...args]);
  }

  // The origin that answers CONNECT to Box's hosts.
  get proxy() {
    return /^listening on (http:.*)$/m.exec(this.standardError)[1];
  }

  async startDaemon(args = []) {
    [this.daemon, this.url] = await this.startUntil(/(http:\/\/127\.0\.0\.1:\d+\/)/, 'src/cli/boxupload',
      ['watch', '--http', '127.0.0.1:0', ...args, this.spool]);
  }

  // Leaves a recording of size bytes as a recorder does that ended age seconds ago, for folder 0. more: further records.
  addRecording(file, size, age, more = []) {
    const created = Math.floor(Date.now() / 1000) - age;
    const stamp = new Date(created * 1000).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const name = `${stamp}-${(this.count++).toString(16).padStart(8, '0')}`;
    const place = path.join(this.spool, name);
    fs.writeFileSync(`${place}.data`, '', { mode: 0o600 });
    fs.truncateSync(`${place}.data`, size);
    fs.writeFileSync(`${place}.journal`, [
      { record: 'recording', version: 1, created, folder: '0', name: file, sizing: 'spool', size: 0, padding: 'none', 'if-exists': 'error', commit: true },
      { record: 'end', size, total: size, padding: 'none' },
      ...more,
    ].map(journalLine).join(''), { mode: 0o600 });
    return name;
  }

  // A recorder at work: what is written to its standard input is recorded.
  startRecorder(file) {
    return this.start('src/cli/boxupload', ['put', '-', '--name', file, '--spool-dir', this.spool], () => {}, ['pipe', 'pipe', 'pipe']);
  }

  async stop(child) {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const killed = setTimeout(() => child.kill('SIGKILL'), 20000);
    await child.gone;
    clearTimeout(killed);
  }

  async status() {
    return (await fetch(`${this.url}api/status`)).json();
  }

  // Until holds(status) is true.
  async waitForStatus(holds) {
    for (const end = Date.now() + PATIENCE * 1000; Date.now() < end; await sleep(200)) {
      const status = await this.status();
      if (holds(status)) return status;
    }
    throw new Error(`the status stays ${JSON.stringify(await this.status())}`);
  }

  async close() {
    for (const child of this.children.reverse()) await this.stop(child);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

// Chromium without a sandbox, which needs more than a container allows, and with a profile of its own.
function launchBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM, timeout: PATIENCE * 1000,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
  });
}

// What the states of the page are made of: each leaves a stage as one would find it.
const SCENES = {
  // Box has everything.
  async empty(stage) {
    await stage.startBox();
    await stage.startDaemon();
  },

  // Two recordings are on their way, one is made, more wait. Parts stop at the 50th, so that it stays so. One of the 50 may be the short
  // one at the end of the first recording.
  async busy(stage) {
    await stage.startBox([{ route: 'upload_part', from: 51, do: 'hold' }], ['--part-size', '1048576']);
    stage.addRecording('hall-00041.mkv', 60 * MB, 1500);
    stage.addRecording('hall-00042.mkv', 90 * MB, 900);
    stage.addRecording('Lecture 7, room B.mp4', 400 * MB, 600);
    stage.addRecording('hall-00043.mkv', 75 * MB, 300);
    const recorder = stage.startRecorder('hall-00044.mkv');
    recorder.stdin.write(Buffer.alloc(24 * MB));
    await stage.startDaemon();
    await stage.waitForStatus(s => s.recordings.length === 5 && s.recordings.reduce((sum, r) => sum + r.bytes_uploaded, 0) >= 49 * 1048576);
  },

  // Box cannot be reached, and the recorder goes on.
  async outage(stage) {
    await stage.startBox();
    await stage.stop(stage.box);
    stage.addRecording('hall-00041.mkv', 60 * MB, 5500);
    stage.addRecording('hall-00042.mkv', 90 * MB, 900);
    const recorder = stage.startRecorder('hall-00043.mkv');
    recorder.stdin.write(Buffer.alloc(24 * MB));
    await stage.startDaemon(['--timeout', '5']);
    await stage.waitForStatus(s => s.recordings.length === 3 && s.outage_since !== null);
  },

  // Two names are taken; others go through.
  async refused(stage) {
    await stage.startBox([{ route: 'upload_part', from: 21, do: 'hold' }], ['--part-size', '1048576']);
    const clip = path.join(stage.dir, 'clip');
    fs.writeFileSync(clip, 'another recording');
    for (const name of ['hall-00041.mkv', 'hall-00042.mkv']) {
      await stage.start('src/cli/boxupload', ['put', clip, '--name', name], () => {}).gone;
    }
    stage.addRecording('hall-00041.mkv', 3 * MB, 3 * 86400);
    stage.addRecording('hall-00042.mkv', 90 * MB, 5400);
    stage.addRecording('hall-00043.mkv', 75 * MB, 300);
    await stage.startDaemon();
    await stage.waitForStatus(s => s.recordings.filter(r => r.failure).length === 2
      && s.recordings.some(r => r.state === 'uploading' && r.bytes_uploaded >= 20 * 1048576));
  },
};

module.exports = { MB, PATIENCE, SCENES, Stage, launchBrowser, sleep };
