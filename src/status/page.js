// SPDX-License-Identifier: LGPL-2.1-or-later
// Shows the status of the spool as it changes. The server sends the whole status with each event.
'use strict';

const STEP = 50; // recordings shown at first, and with each press of the button
const SILENCE = 45; // seconds without an event, which the server does not let pass: the connection is dead
const RETRY = 5; // seconds between two attempts to connect, where the browser makes none
const HIDDEN_INTERVAL = 60; // seconds between two looks of a page that nobody sees
const PATIENCE = 5; // seconds without an answer of Box that are worth a word
const HOUR = 3600;
const ICONS = { safe: '#1a7f37', unsafe: '#0a4b9e', outage: '#b86e00', trouble: '#b3261e', lost: '#6e7781' };

const WORDS = {
  recording: 'recording', uploading: 'uploading', waiting: 'waiting', failed: 'not accepted', unreadable: 'damaged journal',
  unsettled: 'at Box, metadata missing', committed: 'at Box', kept: 'at Box, kept here',
};
// Those that need somebody first, then what moves.
const RANKS = { unreadable: 0, failed: 1, uploading: 2, recording: 3, waiting: 4, unsettled: 5, kept: 6, committed: 7 };

let shown = STEP;
let status = null;
let received = 0; // when it came, ms
let lostAt = 0; // when the connection was lost, ms; 0: it is there
let heard = Date.now(); // when something came last, ms
let opened = 0; // when a stream was asked for last, ms
let events = null;
let retryTimer = 0;
let spokenFor = '';
let fileFor = ''; // the last file that is shown, as JSON
const rows = new Map(); // name → {key, node}

const byId = id => document.getElementById(id);

// The server's time now, Unix time: it says nothing while nothing changes.
const serverTime = () => status.time + (Date.now() - received) / 1000;

function formatBytes(n) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) { n /= 1000; i++; }
  return `${i === 0 ? Math.round(n) : n.toFixed(n < 9.95 ? 1 : 0)} ${units[i]}`;
}

function formatTime(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 10 * HOUR) return `${Math.floor(seconds / HOUR)} h ${Math.floor(seconds % HOUR / 60)} min`;
  if (seconds < 48 * HOUR) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

// The date only where it is another day's. The day is the server's: the clock of the browser may be wrong.
const today = () => new Date(serverTime() * 1000).toDateString();

function formatClock(unix) {
  const date = new Date(unix * 1000);
  return date.toLocaleString([], { ...(date.toDateString() === today() ? {} : { day: 'numeric', month: 'short' }), hour: '2-digit', minute: '2-digit' });
}

const formatSince = unix => `since ${formatClock(unix)} (${formatTime(serverTime() - unix)})`;
const count = (n, one, many) => (n === 1 ? `1 ${one}` : `${n} ${many}`);

// A word of a shell's command line.
const quote = word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

const isFailed = recording => recording.state === 'failed' || recording.state === 'unreadable';
const isAtBox = recording => ['unsettled', 'kept', 'committed'].includes(recording.state);

// --- What is to be done

const resume = (recording, options) => `boxupload resume --only ${quote(recording.name)} ${options} ${quote(status.spool)}`;
const GIVE_UP = [
  recording => ['A copy of it as a local file:', `boxupload spool export --spool-dir ${quote(status.spool)} ${quote(recording.name)} copy`],
];
// The first row whose pattern is found in the failure; each way is a sentence and, if a command does it, that.
const WAYS_OUT = [
  [/item_name_in_use/, [
    recording => ['Upload it under a free name:', resume(recording, '--if-exists rename')],
    recording => ['Or as a new version of the file that is there:', resume(recording, '--if-exists version')],
  ]],
  [/not_found|trashed|access_denied|insufficient|forbidden/, [recording => ['Upload it into another folder:', resume(recording, '--folder ID')], ...GIVE_UP]],
  [/storage_limit|token|credential|Unauthorized|unauthorized/, [() => ['Then nothing: the next attempt is made by itself.'], ...GIVE_UP]],
  [/./, GIVE_UP],
];

function listWaysOut(recording) {
  if (recording.state === 'unreadable') {
    return [
      ['Upload its bytes under a name of your choice:', `boxupload put --name NAME ${quote(`${status.spool}/${recording.name}.data`)}`],
      ['Then remove it here:', `boxupload spool rm --spool-dir ${quote(status.spool)} ${quote(recording.name)}`],
    ];
  }
  return WAYS_OUT.find(([pattern]) => pattern.test(recording.failure || '-'))[1].map(way => way(recording));
}

// --- The answer

// Files of the spool without its path, which stands at the top.
const tellFailure = recording => (recording.failure || 'The reason is not known.').replaceAll(`${status.spool}/`, '');

// The failure of most recordings, and how many recordings have failed in all.
function summariseFailures(recordings) {
  const counts = new Map();
  let total = 0;
  for (const recording of recordings.filter(isFailed)) {
    total++;
    // The same refusal comes at different requests.
    const reason = tellFailure(recording).replace(/^[^:]*: (?:Box|it) answered/, 'Box answered');
    counts.set(reason, (counts.get(reason) || 0) + 1);
  }
  const [reason, n] = [...counts].sort((a, b) => b[1] - a[1])[0] || ['', 0];
  return { total, reason, n };
}

// The name, as a link to the file's page at Box if there is one.
function fileLink(name, link) {
  if (!link) return document.createTextNode(name);
  const anchor = element('a', '', name);
  anchor.href = link;
  anchor.rel = 'noreferrer';
  return anchor;
}

const capitalise = text => text.charAt(0).toUpperCase() + text.slice(1);
const endSentence = text => (/[.!?]$/.test(text) ? text : `${text}.`);

function describeFailures({ total, reason, n }) {
  const others = total > n ? ` ${count(total - n, 'other has', 'others have')} other reasons.` : '';
  return {
    kind: 'trouble',
    headline: total === 1 ? 'A recording is stuck' : `${total} recordings are stuck`,
    advice: `${endSentence(capitalise(reason))}${others} The commands that help are below. Other recordings go on.`,
  };
}

// An answer that takes its time is none yet.
const isOutage = () => Boolean(status.outage_since) && serverTime() - status.outage_since >= PATIENCE;

function describeOutage(failed) {
  const full = status.full_in === null ? '' : ` At this rate the disk is full in ${formatTime(status.full_in)}.`;
  const also = failed.total > 0 ? ` ${count(failed.total, 'recording has', 'recordings have')} failed, see below.` : '';
  return {
    kind: 'outage',
    headline: 'Box cannot be reached',
    since: capitalise(formatSince(status.outage_since)),
    advice: `${formatBytes(status.backlog_bytes)} are on this machine only.${full} Recording goes on. Uploading resumes by itself `
      + `when Box answers. Check this machine’s network and proxy, and status.box.com.${also}`,
  };
}

// What is to be expected: when all is at Box, or when what is being recorded follows.
function forecastBacklog() {
  const rate = status.drain_rate - status.fill_rate;
  const pending = status.recordings.filter(recording => !isAtBox(recording));
  if (pending.some(recording => recording.state !== 'recording' || recording.bytes_uploaded > 0)) {
    return rate > 0 ? ` About ${formatTime(status.backlog_bytes / rate)} left.` : '';
  }
  const [who, end] = pending.length === 1 ? ['A recording is', 'it ends'] : [`${pending.length} recordings are`, 'they end'];
  return ` ${who} still being made. What Box does not have yet is uploaded when ${end}.`;
}

function describeBacklog() {
  const left = forecastBacklog();
  return { kind: 'unsafe', headline: `${formatBytes(status.backlog_bytes)} on the way to Box`, advice: `Nothing needs to be done.${left}` };
}

// What is said: kind (a class of the page), headline, since, file (the last one, linked), advice.
function describe() {
  const since = status.oldest_unsafe ? capitalise(formatSince(status.oldest_unsafe)) : '';
  const failed = summariseFailures(status.recordings);
  if (lostAt) {
    return {
      kind: 'lost', headline: 'No connection to boxupload', since: `Last heard from it at ${new Date(heard).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`,
      advice: 'What is shown below is old. Is “boxupload watch” running? This page tries again by itself.',
    };
  }
  if (isOutage()) return describeOutage(failed);
  if (failed.total > 0) return { since, ...describeFailures(failed) };
  if (status.full_in !== null && status.full_in < HOUR) {
    return { kind: 'trouble', headline: `The disk is full in ${formatTime(status.full_in)}`, since, advice: 'More is recorded than uploaded. Record less, upload faster, or give the spool more room.' };
  }
  if (status.backlog_bytes > 0) return { since, ...describeBacklog() };
  return { kind: 'safe', headline: 'Everything is at Box', since: status.last_commit ? `Last file: ${formatClock(status.last_commit)}` : '', file: status.last_file, advice: 'Nothing needs to be done.' };
}

// --- Drawing

function figure(name, value, more) {
  const box = element('div');
  const data = element('dd', '', value);
  if (more) data.append(element('small', '', more));
  box.append(element('dt', '', name), data);
  return box;
}

function drawFigures() {
  const [full, how] = status.full_in === null ? ['no', 'at this rate'] : [`in ${formatTime(status.full_in)}`, 'at this rate'];
  byId('figures').replaceChildren(
    figure('Not at Box yet', formatBytes(status.backlog_bytes), count(status.recordings.filter(recording => !isAtBox(recording)).length, 'recording', 'recordings')),
    figure('Recorded', `${formatBytes(status.fill_rate)}/s`),
    figure('Uploaded', `${formatBytes(status.drain_rate)}/s`),
    figure('Disk full', full, how),
    figure('Free on the disk', formatBytes(status.free_bytes), `${formatBytes(status.spool_bytes)} in the spool`),
    figure('Files made', `${status.commits}`, `since ${formatClock(status.started)}`),
  );
}

function drawMap(recording) {
  const percent = recording.size > 0 ? Math.floor(100 * recording.bytes_uploaded / recording.size) : 0;
  const map = element('div', 'map');
  map.setAttribute('role', 'img');
  map.setAttribute('aria-label', `${percent} % at Box`);
  for (const digit of recording.map || '0') map.append(element('i', `n${digit}`));
  return map;
}

function drawWaysOut(recording) {
  const list = element('ul', 'ways');
  for (const [sentence, command] of listWaysOut(recording)) {
    const item = element('li', '', sentence);
    if (command) item.append(element('code', '', command));
    list.append(item);
  }
  return list;
}

function drawName(recording) {
  const name = element('span', 'name');
  name.append(fileLink(recording.file || recording.name, recording.link));
  return name;
}

function drawRecording(recording) {
  const state = recording.state === 'uploading' && isOutage() ? 'waiting' : recording.state;
  const item = element('li', state);
  const row = element('div', 'row');
  const safe = isAtBox(recording);
  row.append(drawName(recording),
    element('span', 'state', WORDS[state] + (recording.interrupted ? ', cut short' : '')));
  item.append(row);
  if (!safe && !(isFailed(recording) && recording.bytes_uploaded === 0)) item.append(drawMap(recording));
  const details = [safe ? formatBytes(recording.size) : `${formatBytes(recording.bytes_uploaded)} of ${formatBytes(recording.size)} at Box`];
  if (recording.unsafe_since) details.push(`waiting since ${formatClock(recording.unsafe_since)}`);
  if (recording.retry_at && isFailed(recording)) details.push(`next attempt at ${formatClock(recording.retry_at)}`);
  if (recording.file) details.push(recording.name);
  item.append(element('p', 'faint', details.join(' · ')));
  if (recording.failure && recording.state !== 'uploading') item.append(element('p', 'problem', endSentence(capitalise(tellFailure(recording)))));
  if (isFailed(recording)) item.append(drawWaysOut(recording));
  return item;
}

// Only what has changed is made anew: a selection, and the place of a reader, stay.
function drawRecordings() {
  const list = byId('recordings');
  const wanted = [...status.recordings].sort((a, b) => RANKS[a.state] - RANKS[b.state]).slice(0, shown);
  const names = new Set(wanted.map(recording => recording.name));
  for (const [name, row] of rows) if (!names.has(name)) { row.node.remove(); rows.delete(name); }
  wanted.forEach((recording, i) => {
    const key = `${today()} ${isOutage()} ` + JSON.stringify({ ...recording, unsafe_since: recording.unsafe_since && formatClock(recording.unsafe_since) });
    let row = rows.get(recording.name);
    if (!row || row.key !== key) {
      const node = drawRecording(recording);
      if (row) row.node.replaceWith(node);
      rows.set(recording.name, row = { key, node });
    }
    if (list.children[i] !== row.node) list.insertBefore(row.node, list.children[i] || null);
  });
  byId('empty').hidden = status.recordings.length > 0;
  byId('more').hidden = status.recordings.length <= shown;
  setText('more', `Show ${Math.min(STEP, status.recordings.length - shown)} more of ${status.recordings.length}`);
}

function drawIcon(kind) {
  const canvas = element('canvas');
  canvas.width = canvas.height = 32;
  const drawing = canvas.getContext('2d');
  drawing.fillStyle = ICONS[kind];
  drawing.arc(16, 16, 16, 0, 2 * Math.PI);
  drawing.fill();
  document.querySelector('link[rel=icon]').href = canvas.toDataURL();
}

// Only what has changed is made anew, so that the link keeps the focus.
function drawLastFile(file) {
  const key = file ? JSON.stringify(file) : '';
  if (key === fileFor) return;
  fileFor = key;
  byId('file').replaceChildren(...(file ? [', ', fileLink(file.name || file.file_id, file.link)] : []));
}

function drawSummary() {
  const { kind, headline, since, file, advice } = describe();
  if (document.body.className !== kind) {
    document.body.className = kind;
    drawIcon(kind);
    drawRecordings();
  }
  setText('headline', headline);
  setText('since', since || '');
  drawLastFile(file);
  setText('advice', advice);
  document.title = `${headline} – boxupload`;
  // Figures change at every moment, which nobody wants to hear.
  const spoken = kind === 'unsafe' ? 'Recordings are on the way to Box' : headline;
  if (spoken !== spokenFor) setText('spoken', spokenFor = spoken);
}

function draw() {
  setText('spool', status.spool);
  drawSummary();
  drawFigures();
  drawRecordings();
}

// --- The connection

function take(text) {
  status = JSON.parse(text);
  received = heard = Date.now();
  lostAt = 0;
  draw();
}

function lose() {
  lostAt = lostAt || Date.now();
  if (status) {
    drawSummary();
  } else {
    document.body.className = 'lost';
    setText('headline', 'No connection to boxupload');
    setText('advice', 'Is “boxupload watch” running? This page tries again by itself.');
  }
}

function close() {
  clearTimeout(retryTimer);
  if (events) events.close();
  events = null;
}

// One look, for a page that nobody sees or that has no stream: their number is limited, here and in browsers.
async function look() {
  try {
    const answer = await fetch('api/status', { cache: 'no-store' });
    if (!answer.ok) throw new Error(answer.statusText);
    take(await answer.text());
  } catch (error) {
    lose();
  }
}

function open() {
  close();
  opened = Date.now();
  events = new EventSource('api/events');
  events.addEventListener('message', event => take(event.data));
  events.addEventListener('alive', () => { heard = Date.now(); });
  events.addEventListener('error', () => {
    // A refusal ends an EventSource for good; after a broken connection it tries again by itself.
    if (events.readyState === EventSource.CLOSED) {
      look();
      retryTimer = setTimeout(open, RETRY * 1000);
    } else {
      lose();
    }
  });
}

byId('more').addEventListener('click', () => { shown += STEP; drawRecordings(); });
document.addEventListener('visibilitychange', () => { if (document.hidden) close(); else open(); });
setInterval(() => {
  if (document.hidden) return;
  // After sleep, or if the daemon hangs, no error comes.
  if (Date.now() - Math.max(heard, opened) > SILENCE * 1000) {
    lose();
    open();
  }
  if (status) drawSummary();
}, 1000);
setInterval(() => { if (document.hidden) look(); }, HIDDEN_INTERVAL * 1000);
open();
