#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later
// What a long backlog costs: the time to the first view in Chromium, and the daemon's share of a core at rest, with and without
// viewers. The figures are in docs/watch.md. usage: measure.js BUILD_DIR [RECORDINGS]
'use strict';

const fs = require('node:fs');

const { MB, Stage, launchBrowser, sleep } = require('./stage.js');

const REST_SECONDS = 30;
const TICK_MS = 10; // of the kernel's accounting

// User and system time of the daemon, ms.
function readCpuTime(stage) {
  const fields = fs.readFileSync(`/proc/${stage.daemon.pid}/stat`, 'utf8').split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

async function measureRest(stage, name) {
  const before = readCpuTime(stage);
  const begin = Date.now();
  await sleep(REST_SECONDS * 1000);
  console.log(`${name}: ${(100 * (readCpuTime(stage) - before) / (Date.now() - begin)).toFixed(2)} % of a core`);
}

async function timeRequest(stage, name) {
  const begin = Date.now();
  const text = await (await fetch(`${stage.url}api/status`)).text();
  console.log(`${name}: ${Date.now() - begin} ms, ${text.length} bytes`);
}

async function main() {
  const [build, recordings = '1000'] = process.argv.slice(2);
  const stage = new Stage(build);
  const browser = await launchBrowser();
  try {
    for (let i = 0; i < Number(recordings); i++) stage.addRecording(`hall-${i}.mkv`, 60 * MB, 86400 - i);
    await stage.startBox([{ do: 'hold' }]);
    await stage.startDaemon();
    await timeRequest(stage, 'first /api/status');
    await timeRequest(stage, 'next /api/status');
    const page = await browser.newPage();
    await page.goto(stage.url);
    await page.waitForSelector('#recordings > li');
    console.log(`first view: ${Math.round(await page.evaluate(() => performance.now()))} ms`);
    await measureRest(stage, 'a page is open');
    await page.close();
    await measureRest(stage, 'nobody looks');
  } finally {
    await browser.close();
    await stage.close();
  }
}

main().catch(error => { console.error(error); process.exitCode = 1; });
