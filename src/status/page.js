// SPDX-License-Identifier: LGPL-2.1-or-later
// Shows the status of the spool as it changes. The server sends the whole status with each event.
'use strict';

const STEP = 100; // recordings shown at first, and with each press of the button
const WORDS = {
  recording: 'recording', uploading: 'uploading', waiting: 'waiting', failed: 'failed', unreadable: 'damaged journal',
  committed: 'at Box', unsettled: 'at Box, metadata missing', kept: 'at Box, kept here',
};

let shown = STEP;
let status = null;
let connected = false;

const byId = id => document.getElementById(id);

function formatBytes(n) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i++; }
  return `${i === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

function formatTime(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

const formatClock = unix => new Date(unix * 1000).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// The failure of most recordings, and how many have it.
function mainFailure(recordings) {
  const counts = new Map();
  for (const recording of recordings) {
    if (recording.failure && (recording.state === 'failed' || recording.state === 'unreadable')) {
      counts.set(recording.failure, (counts.get(recording.failure) || 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0] || null;
}

function describe(now) {
  const since = now.oldest_unsafe ? `since ${formatClock(now.oldest_unsafe)} (${formatTime(now.time - now.oldest_unsafe)})` : '';
  const failure = mainFailure(now.recordings);
  if (!connected) return ['waiting', 'No connection to boxupload', 'The figures below are the last ones that arrived. Is “boxupload watch” running?'];
  if (failure) {
    const many = failure[1] === 1 ? 'A recording is' : `${failure[1]} recordings are`;
    return ['trouble', `${many} not at Box${since ? ', ' + since : ''}`, failure[0]];
  }
  if (now.backlog_bytes > 0) {
    const left = now.drain_rate > now.fill_rate ? ` Done in about ${formatTime(now.backlog_bytes / (now.drain_rate - now.fill_rate))}.` : '';
    return ['unsafe', `${formatBytes(now.backlog_bytes)} on the way to Box`, `The oldest byte waits ${since}.${left} Nothing needs to be done.`];
  }
  return ['safe', 'Everything is at Box', now.last_commit ? `Last file: ${formatClock(now.last_commit)}.` : 'Nothing needs to be done.'];
}

function figure(name, value) {
  const box = element('div');
  box.append(element('dt', '', name), element('dd', '', value));
  return box;
}

function drawFigures(now) {
  const full = now.full_in === null ? 'not at this rate' : `in ${formatTime(now.full_in)}`;
  byId('figures').replaceChildren(
    figure('Not at Box yet', formatBytes(now.backlog_bytes)),
    figure('Recorded', `${formatBytes(now.fill_rate)}/s`),
    figure('Uploaded', `${formatBytes(now.drain_rate)}/s`),
    figure('Disk full', full),
    figure('Free on the disk', formatBytes(now.free_bytes)),
    figure('Files made', `${now.commits} since ${formatClock(now.started)}`),
  );
}

function drawMap(recording) {
  const percent = recording.size > 0 ? Math.floor(100 * recording.bytes_uploaded / recording.size) : 0;
  const map = element('div', 'map');
  map.setAttribute('role', 'img');
  map.setAttribute('aria-label', `${percent} % at Box`);
  for (const digit of recording.map) map.append(element('i', `n${digit}`));
  return map;
}

function drawRecording(recording, now) {
  const item = element('li');
  const row = element('div', 'row');
  const figures = `${formatBytes(recording.bytes_uploaded)} of ${formatBytes(recording.size)} at Box`;
  row.append(element('span', 'name', recording.file || recording.name),
    element('span', `state ${recording.state}`, WORDS[recording.state] + (recording.interrupted ? ', cut short' : '')));
  item.append(row);
  if (recording.map) item.append(drawMap(recording));
  const details = [recording.name, figures];
  if (recording.unsafe_since) details.push(`waits since ${formatClock(recording.unsafe_since)}`);
  if (recording.retry_at) details.push(`next attempt in ${formatTime(recording.retry_at - now.time)}`);
  item.append(element('p', 'faint', details.join(' · ')));
  if (recording.failure && recording.state !== 'uploading') item.append(element('p', 'problem', recording.failure));
  return item;
}

// Those that need somebody first, then the oldest.
function sortRecordings(recordings) {
  const rank = { unreadable: 0, failed: 1, uploading: 2, recording: 3, waiting: 4, unsettled: 5, kept: 6, committed: 7 };
  return [...recordings].sort((a, b) => rank[a.state] - rank[b.state]);
}

function draw() {
  const [kind, headline, advice] = describe(status);
  byId('summary').className = kind;
  // An unchanged text is not spoken again.
  if (byId('headline').textContent !== headline) byId('headline').textContent = headline;
  if (byId('advice').textContent !== advice) byId('advice').textContent = advice;
  document.title = `${headline} – boxupload`;
  byId('spool').textContent = status.spool;
  drawFigures(status);
  byId('empty').hidden = status.recordings.length > 0;
  byId('recordings').replaceChildren(...sortRecordings(status.recordings).slice(0, shown).map(r => drawRecording(r, status)));
  byId('more').hidden = status.recordings.length <= shown;
  byId('more').textContent = `Show ${Math.min(STEP, status.recordings.length - shown)} more of ${status.recordings.length}`;
}

byId('more').addEventListener('click', () => { shown += STEP; draw(); });

const events = new EventSource('api/events');
events.addEventListener('message', event => { status = JSON.parse(event.data); connected = true; draw(); });
events.addEventListener('error', () => { connected = false; if (status) draw(); else byId('headline').textContent = 'No connection to boxupload'; });
