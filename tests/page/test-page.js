// SPDX-License-Identifier: LGPL-2.1-or-later
// The page of "boxupload watch" in Debian's Chromium, with axe-core; its JSON and its metrics against their documentation.
// TAP. usage: test-page.js SOURCE_DIR BUILD_DIR
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');

const { MB, PATIENCE, SCENES, Stage, launchBrowser } = require('./stage.js');

const clients = createRequire(path.join(__dirname, '../clients/package.json'));
const Ajv = clients('ajv/dist/2020');
const AXE = clients.resolve('axe-core/axe.min.js');

const [source, build] = process.argv.slice(2);
const schema = JSON.parse(fs.readFileSync(path.join(source, 'docs/monitoring/status.schema.json'), 'utf8'));
const manual = fs.readFileSync(path.join(source, 'docs/watch.md'), 'utf8');

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };

let number = 0;

async function test(name, body) {
  number++;
  try {
    await body();
    console.log(`ok ${number} ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`not ok ${number} ${name}\n${String(error.stack).replace(/^/gm, '# ')}`);
  }
}

// The scene on a stage of its own, until body is done.
async function onStage(scene, body) {
  const stage = new Stage(build);
  try {
    await scene(stage);
    await body(stage);
  } finally {
    await stage.close();
  }
}

// A page with what it asks for and complains of. Nothing but the daemon may be asked.
async function openPage(browser, stage, settings = {}) {
  const page = await browser.newPage({ viewport: DESKTOP, locale: 'en-GB', ...settings });
  page.setDefaultTimeout(PATIENCE * 1000);
  page.complaints = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text()); });
  page.on('pageerror', error => page.complaints.push(String(error)));
  page.on('request', request => { if (!/^data:/.test(request.url()) && !request.url().startsWith(stage.url)) page.complaints.push(request.url()); });
  await page.goto(stage.url);
  return page;
}

const waitForKind = (page, kind) => page.waitForSelector(`body.${kind}`);

// The stylesheet allows no inline style, which axe does not need; the policy allows no foreign script, so it is evaluated.
async function findBarriers(page) {
  await page.evaluate(fs.readFileSync(AXE, 'utf8'));
  const results = await page.evaluate(() => globalThis.axe.run());
  return results.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' ')}`);
}

async function checkLooks(browser, stage, kind) {
  for (const viewport of [PHONE, DESKTOP]) {
    const page = await openPage(browser, stage, { viewport });
    await waitForKind(page, kind);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= globalThis.innerWidth), 'it scrolls sideways');
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepStrictEqual(await findBarriers(page), [], `${colorScheme}, ${viewport.width} pixels`);
    }
    assert.deepStrictEqual(page.complaints, []);
    await page.close();
  }
}

// --- JSON and metrics

// Members that the schema does not have are findings, too.
function closeObjects(node) {
  if (node === null || typeof node !== 'object') return node;
  const closed = Array.isArray(node) ? node.map(closeObjects) : Object.fromEntries(Object.entries(node).map(([k, v]) => [k, closeObjects(v)]));
  return node.type === 'object' ? { ...closed, additionalProperties: false } : closed;
}

const isValid = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(closeObjects(schema));

function checkStatus(status) {
  assert.ok(isValid(status), JSON.stringify(isValid.errors));
}

// By the conventions of Prometheus: prometheus.io/docs/practices/naming.
function checkMetrics(text) {
  const types = new Map();
  const helped = new Set();
  for (const line of text.trimEnd().split('\n')) {
    const [, kind, name, value] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) || [];
    if (kind === 'HELP') {
      helped.add(name);
    } else if (kind === 'TYPE') {
      types.set(name, value);
    } else {
      const [, sample, , number_] = /^(boxupload_[a-z_]+)(\{(?:[a-z_]+="[^"]*",?)+\})? (\S+)$/.exec(line) || [];
      assert.ok(sample && types.has(sample) && helped.has(sample) && (number_ === '+Inf' || Number.isFinite(Number(number_))), line);
      assert.strictEqual(types.get(sample) === 'counter', /_total$/.test(sample), line);
      assert.ok(manual.includes(`\`${sample}`), `docs/watch.md does not have ${sample}`);
    }
  }
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (!promtool.error) assert.strictEqual(promtool.status, 0, promtool.stderr);
}

async function checkMachineReadable(stage) {
  checkStatus(await stage.status());
  checkMetrics(await (await fetch(`${stage.url}metrics`)).text());
}

// --- The states

const STATES = {
  empty: { kind: 'safe', headline: /^Everything is at Box$/, advice: /Nothing needs to be done/ },
  busy: { kind: 'unsafe', headline: /^\d+ MB on the way to Box$/, since: /^Since .*\(1\d min\)$/, advice: /Nothing needs to be done/ },
  outage: { kind: 'outage', headline: /^Box cannot be reached$/, since: /^Since .*\(\d+ (s|min)\)$/, advice: /1\d\d MB are on this machine only.*network/ },
  refused: { kind: 'trouble', headline: /^2 recordings are stuck$/, since: /^Since .*\(3 days\)$/, advice: /^Box answered "Item with the same name already exists"(?!.*other reasons).*below/ },
};

async function checkState(browser, stage, { kind, headline, since = /^$/, advice }) {
  const page = await openPage(browser, stage);
  await waitForKind(page, kind);
  assert.match(await page.textContent('#headline'), headline);
  assert.match(await page.textContent('#since'), since);
  assert.match(await page.textContent('#advice'), advice);
  assert.match(await page.title(), headline.source.endsWith('$') ? new RegExp(headline.source.replace(/\$$/, ' ')) : headline);
  assert.deepStrictEqual(page.complaints, []);
  await page.close();
}

async function testStates(browser) {
  for (const [scene, state] of Object.entries(STATES)) {
    await onStage(SCENES[scene], async stage => {
      await test(`${scene}/says-what-is-unsafe-since-when-and-what-to-do`, () => checkState(browser, stage, state));
      await test(`${scene}/axe-finds-no-barrier-on-phone-and-desktop-light-and-dark`, () => checkLooks(browser, stage, state.kind));
      await test(`${scene}/json-and-metrics-are-as-documented`, () => checkMachineReadable(stage));
      for (const [name, body] of Object.entries(MORE[scene] || {})) await test(`${scene}/${name}`, () => body(browser, stage));
    });
  }
}

// --- What belongs to one state

async function testPartMaps(browser, stage) {
  const page = await openPage(browser, stage);
  await page.locator('.uploading .map i.n9').first().waitFor();
  assert.strictEqual(await page.locator('#recordings > li').count(), 5);
  // 50 parts of the 150 MB that are on their way: with cells of 1 and 1.5 MB.
  assert.ok(await page.locator('.uploading .map i.n9').count() >= 30);
  for (const map of await page.locator('.map').all()) {
    const some = await map.getAttribute('aria-label') !== '0 % at Box';
    assert.strictEqual(await map.locator('i').count(), some ? 60 : 1);
    assert.strictEqual(await map.locator('i:not(.n0)').count() > 0, some);
  }
  await page.close();
}

// A screen reader hears of states, not of figures; and what is read or selected stays where it is.
async function testQuiet(browser, stage) {
  const page = await openPage(browser, stage);
  await waitForKind(page, 'unsafe');
  await page.evaluate(() => {
    globalThis.spoken = 0;
    globalThis.rows = [...document.querySelectorAll('#recordings > li')].filter(row => !row.matches('.recording'));
    new MutationObserver(() => globalThis.spoken++).observe(document.getElementById('spoken'), { childList: true, characterData: true, subtree: true });
    globalThis.before = document.getElementById('figures').textContent;
  });
  stage.children[1].stdin.write(Buffer.alloc(5 * MB));
  await page.waitForFunction(() => document.getElementById('figures').textContent !== globalThis.before);
  assert.strictEqual(await page.evaluate(() => globalThis.spoken), 0);
  assert.ok(await page.evaluate(() => globalThis.rows.every(row => row.isConnected)));
  assert.strictEqual(await page.evaluate(() => document.querySelectorAll('[aria-live], [role=status], [role=alert]').length), 1);
  await page.close();
}

// As printed, in a shell of the daemon's user.
async function testWayOut(browser, stage) {
  const page = await openPage(browser, stage);
  await waitForKind(page, 'trouble');
  const commands = await page.locator('#recordings > li').first().locator('code').allTextContents();
  assert.deepStrictEqual(commands.map(command => command.replace(/\S+-\S+-\d+ .*--/, '… --').replace(/ \S+$/, '')),
    ['boxupload resume --only … --if-exists rename', 'boxupload resume --only … --if-exists version']);
  // The daemon tries this recording at this moment: it is in use, or was when it was to be redirected.
  const isBusy = code => code === 14 || code === 75;
  let code = 14;
  for (const end = Date.now() + PATIENCE * 1000; isBusy(code) && Date.now() < end;)
    code = await stage.start('src/cli/boxupload', commands[0].split(' ').slice(1), () => {}).gone;
  assert.strictEqual(code, 0, stage.standardError);
  await page.getByText('A recording is stuck', { exact: true }).first().waitFor();
  await page.close();
}

// Nothing is sent: no row may say so.
async function testRowsInOutage(browser, stage) {
  const page = await openPage(browser, stage);
  await waitForKind(page, 'outage');
  assert.deepStrictEqual((await page.locator('.state').allTextContents()).sort(), ['recording', 'waiting', 'waiting']);
  await page.close();
}

// The clock of the browser's machine is a day ahead, or behind: what is today is the daemon's to say.
async function testWrongClock(browser, stage) {
  const said = [];
  for (const days of [0, 1, -1]) {
    const page = await browser.newPage({ locale: 'en-GB' });
    page.setDefaultTimeout(PATIENCE * 1000);
    await page.clock.install({ time: Date.now() + days * 24 * 3600 * 1000 });
    await page.goto(stage.url);
    await waitForKind(page, 'unsafe');
    said.push((await page.textContent('#since')).replace(/\(.*/, ''));
    await page.close();
  }
  assert.deepStrictEqual(said, [said[0], said[0], said[0]]);
}

// More viewers than streams: the page looks by itself.
async function testManyViewers(browser, stage) {
  const streams = [];
  for (let i = 0; i < 32; i++) {
    const request = http.get(`${stage.url}api/events`);
    await new Promise(resolve => { request.on('response', resolve); });
    streams.push(request);
  }
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE * 1000);
  await page.goto(stage.url);
  await waitForKind(page, 'safe');
  for (const request of streams) request.destroy();
  await page.close();
}

async function testReconnection(browser, stage) {
  const page = await openPage(browser, stage);
  await waitForKind(page, 'safe');
  const port = new URL(stage.url).port;
  await stage.stop(stage.daemon);
  await waitForKind(page, 'lost');
  assert.match(await page.textContent('#headline'), /^No connection to boxupload$/);
  assert.deepStrictEqual(await findBarriers(page), []);
  await stage.startDaemon(['--http', `127.0.0.1:${port}`]);
  await waitForKind(page, 'safe');
  await page.close();
}

// The connection stands, and nothing comes: no error tells that.
async function testHang(browser, stage) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE * 1000);
  await page.clock.install();
  await page.goto(stage.url);
  await waitForKind(page, 'safe');
  stage.daemon.kill('SIGSTOP');
  try {
    await page.clock.fastForward(60 * 1000);
    await waitForKind(page, 'lost');
  } finally {
    stage.daemon.kill('SIGCONT');
  }
  await waitForKind(page, 'safe');
  await page.close();
}

const MORE = {
  empty: {
    'a-viewer-for-whom-there-is-no-stream-sees-it-too': testManyViewers,
    'a-daemon-that-hangs-is-not-believed': testHang,
    'the-page-comes-back-with-the-daemon': testReconnection,
  },
  outage: { 'no-row-says-that-it-uploads': testRowsInOutage },
  busy: { 'a-wrong-clock-of-the-browser-changes-no-time': testWrongClock, 'the-map-of-the-parts-fills': testPartMaps, 'figures-are-not-spoken-and-rows-stay': testQuiet },
  refused: { 'the-way-out-works-as-printed': testWayOut },
};

// --- Links

// With Box's own hosts, which the emulator answers for as a proxy: one recording goes to Box, one was cut short and stays.
async function startAtBox(stage) {
  await stage.startBox();
  stage.addRecording('hall <00041>.mkv', 1000, 900);
  stage.addRecording('cut.mp4', 1000, 800, [
    { record: 'committed', id: '4711', name: 'cut.mp4', size: 1000, sha1: '00'.repeat(20) }, { record: 'kept' },
  ]);
  await stage.startDaemon(['--endpoint', 'https://upload.box.com/api/2.0', '--api-endpoint', 'https://api.box.com/2.0', '--proxy', stage.proxy]);
  await stage.waitForStatus(s => s.last_file !== null && s.recordings.length === 1);
}

async function testLinks(browser) {
  await onStage(startAtBox, async stage => {
    await test('links/files-at-box-are-one-click-away', async () => {
      const { last_file: last } = await stage.status();
      const page = await openPage(browser, stage);
      await waitForKind(page, 'safe');
      const anchor = page.locator('#file a');
      assert.strictEqual(await anchor.textContent(), 'hall <00041>.mkv');
      assert.strictEqual(await anchor.getAttribute('href'), `https://app.box.com/file/${last.file_id}`);
      assert.strictEqual(await page.locator('#recordings .kept .name a').getAttribute('href'), 'https://app.box.com/file/4711');
      // It keeps the focus while the page tells the time.
      await anchor.focus();
      await page.waitForTimeout(2500);
      assert.strictEqual(await page.evaluate(() => document.activeElement.textContent), 'hall <00041>.mkv');
      assert.deepStrictEqual(await findBarriers(page), []);
      assert.deepStrictEqual(page.complaints, []);
      await page.close();
    });
    await test('links/json-is-as-documented', () => checkMachineReadable(stage));
  });
}

// --- A journal that is damaged, beside a recorder at work

async function startDamaged(stage) {
  await stage.startBox();
  const name = stage.addRecording('lost.mkv', 1000, 900);
  fs.writeFileSync(path.join(stage.spool, `${name}.journal`), 'nonsense\n');
  stage.startRecorder('live.mkv').stdin.write(Buffer.alloc(MB));
  await stage.startDaemon();
  await stage.waitForStatus(s => s.recordings.some(r => r.state === 'unreadable') && s.recordings.some(r => r.state === 'recording'));
}

async function testDamaged(browser) {
  await onStage(startDamaged, async stage => {
    await test('damaged/the-way-out-works-as-printed', async () => {
      const page = await openPage(browser, stage);
      await waitForKind(page, 'trouble');
      assert.match(await page.textContent('#since'), /\(\d\d min\)$/);
      assert.match(await page.textContent('.unreadable .problem'), /^[\d-]+\.journal does not say where/);
      const [put, remove] = await page.locator('.unreadable code').allTextContents();
      const run = (command, ...more) => stage.start('src/cli/boxupload', [...command.split(' ').slice(1), ...more], () => {}).gone;
      assert.strictEqual(await run(put.replace('NAME', 'found.mkv')), 0, stage.standardError);
      assert.strictEqual(await run(remove, '--force'), 0, stage.standardError);
      await waitForKind(page, 'unsafe');
      assert.match(await page.textContent('#advice'), /^Nothing needs to be done\. A recording is still being made\./);
      assert.deepStrictEqual(page.complaints, []);
      await page.close();
    });
  });
}

// --- Many recordings

async function testManyRecordings(browser) {
  await onStage(async stage => {
    for (let i = 0; i < 125; i++) stage.addRecording(`<b>${i} & 'x'.mkv`, 1000, 3600 - i);
    await stage.startBox([{ do: 'hold' }]);
    await stage.startDaemon();
  }, async stage => {
    await test('many/the-rest-is-a-key-press-away', async () => {
      const page = await openPage(browser, stage);
      await page.waitForSelector('#more:not([hidden])');
      assert.strictEqual(await page.locator('#recordings > li').count(), 50);
      await page.focus('#more');
      await page.keyboard.press('Enter');
      assert.strictEqual(await page.locator('#recordings > li').count(), 100);
      assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'more');
      await page.keyboard.press('Enter');
      assert.strictEqual(await page.locator('#recordings > li').count(), 125);
      assert.strictEqual(await page.locator('#recordings b').count(), 0);
      assert.match(await page.locator('#recordings .name').first().textContent(), /^<b>\d+ & 'x'\.mkv$/);
      assert.deepStrictEqual(page.complaints, []);
      await page.close();
    });
  });
}

async function testDocuments() {
  await test('documents/every-member-is-in-the-manual', async () => {
    const members = [...Object.keys(schema.properties), ...Object.keys(schema.$defs.recording.properties), ...schema.$defs.recording.properties.state.enum];
    assert.deepStrictEqual(members.filter(member => !manual.includes(`\`${member}\``)), []);
  });
  await test('documents/alert-rules-and-dashboard-use-metrics-that-are-documented', async () => {
    for (const file of ['alerts.yml', 'dashboard.json']) {
      const text = fs.readFileSync(path.join(source, 'docs/monitoring', file), 'utf8');
      const unknown = (text.match(/\bboxupload_[a-z_]+/g) || []).filter(name => !manual.includes(`\`${name}`));
      assert.deepStrictEqual(unknown, [], file);
    }
    const promtool = spawnSync('promtool', ['check', 'rules', path.join(source, 'docs/monitoring/alerts.yml')], { encoding: 'utf8' });
    if (!promtool.error) assert.strictEqual(promtool.status, 0, promtool.stderr);
  });
}

async function main() {
  const browser = await launchBrowser();
  try {
    await testStates(browser);
    await testLinks(browser);
    await testDamaged(browser);
    await testManyRecordings(browser);
    await testDocuments();
  } finally {
    await browser.close();
  }
  console.log(`1..${number}`);
}

main().catch(error => {
  console.log(`Bail out! ${error.stack.replaceAll('\n', ' ')}`);
  process.exitCode = 1;
});
