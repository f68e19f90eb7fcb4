// The console's figures, which take too long for every change and want a quiet machine:
//
//     cargo build --release -p lever && cargo build --release -p leverframe --examples
//     LEVER_BIN=$PWD/target/release/lever node e2e/browser/figures.js [tabs] [server] [paint]
//
// How long the server takes for its pages with ten thousand flags, when a slow machine sees something,
// what comes over the wire, and what two hundred open tabs cost the kill path. Prints a table, and
// leaves it as figures.json where it is started.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';

import { launch, Person } from './browser.js';
import { Evaluators } from './evaluators.js';
import { Lever } from './lever.js';

const FLAGS = Number(process.env.LEVER_FLAGS ?? 10_000);
const TABS = Number(process.env.LEVER_TABS ?? 200);
const TABS_OF_TOKEN = 40;
const EVALUATORS = 12;
/** How often each page is asked for. */
const ASKED = 300;
/** How often the page is painted by a browser with a cold cache. */
const PAINTED = 7;
/** Blocks of kills with tabs and without, in turns, and kills in each. */
const BLOCKS = Number(process.env.LEVER_BLOCKS ?? 8);
const KILLS = 12;

const KINDS = ['release', 'kill', 'job', 'ops', 'experiment', 'permission'];
const OWNERS = ['team-pay', 'web', 'search', 'mobile', 'platform', 'ads', 'mail', 'risk'];
const rows = [];

function row(what, value, unit, goal) {
  rows.push({ what, value: Number(value.toFixed(2)), unit, goal });
  const verdict = goal === undefined ? '' : value <= goal ? `  ✓ at most ${goal}` : `  ✗ at most ${goal}`;
  console.log(`${what.padEnd(58)} ${value.toFixed(1).padStart(8)} ${unit}${verdict}`);
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const sorted = (times) => [...times].sort((a, b) => a - b);
const median = (times) => quantile(sorted(times), 0.5);

async function seed(lever) {
  const sunset = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  let next = 0;
  const worker = async () => {
    for (let number = next++; number < FLAGS; number = next++) {
      const key = `${OWNERS[number % OWNERS.length]}-flag-${String(number).padStart(5, '0')}`;
      await lever.flag(key, {
        kind: KINDS[number % KINDS.length],
        owner: OWNERS[number % OWNERS.length],
        description: `What number ${number} of many decides`,
        runbook: `Back to what it was before ${number}`,
        tags: [`tag-${number % 40}`],
        ...(number % KINDS.length === 0 ? { sunset } : {}),
      });
      if (number % 20 === 0) await lever.open(key, (number / 20) % 100);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** How long one answer takes, to its last byte, on a connection that is open. */
function timed(lever, agent, path) {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const headers = { authorization: `Bearer ${lever.token}`, accept: 'text/html' };
    const asked = request(`${lever.url}${path}`, { agent, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk) => (bytes += chunk.length));
      answer.on('end', () => {
        if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`));
        else resolve({ ms: performance.now() - from, bytes });
      });
    });
    asked.on('error', reject).end();
  });
}

async function serverTimes(lever) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const pages = [
    ['list', (n) => `/flags?env=prod&after=${OWNERS[n % 8]}-flag-0${n % 10}`, 100],
    ['first page of the list', () => '/flags?env=prod', 100],
    ['search', (n) => `/flags?env=prod&q=${n % 2 ? 'flag-' + (n * 31) % 10_000 : 'decides'}`, 100],
    ['search that finds nothing', (n) => `/flags?env=prod&q=nothing-${n}`, 100],
    ['filter by owner and kind', (n) => `/flags?env=prod&owner=${OWNERS[n % 8]}&kind=${KINDS[n % 6]}`, 100],
    ['filter by tag and state', (n) => `/flags?env=prod&tag=tag-${n % 40}&state=open`, 100],
    ['one flag', (n) => `/flags/${OWNERS[n % 8]}-flag-${String((n % 8) + 8 * (n % 100)).padStart(5, '0')}?env=prod`, 100],
    ['kill', () => '/kill?env=prod', 100],
    ['audit', () => '/audit?env=prod', 100],
    ['Now', () => '/now?env=prod', 50],
  ];
  for (const [what, path, goal] of pages) {
    const times = [];
    for (let n = 0; n < ASKED; n += 1) times.push((await timed(lever, agent, path(n))).ms);
    row(`${what}: half of ${ASKED}`, quantile(sorted(times), 0.5), 'ms');
    row(`${what}: p99`, quantile(sorted(times), 0.99), 'ms', goal);
  }
  agent.destroy();
}

async function paints(lever, browser) {
  const paths = ['/now', '/kill', '/flags', '/flags/team-pay-flag-00000', '/rollouts', '/audit', '/fleet', '/settings'];
  for (const path of paths) {
    const seen = [];
    let weight;
    for (let n = 0; n < PAINTED; n += 1) {
      const person = await Person.sit(browser, lever, { token: lever.token });
      const page = await person.tab();
      const devtools = await person.context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
      const kinds = new Map();
      weight = { all: 0, script: 0 };
      devtools.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
      devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        weight.all += encodedDataLength;
        if (kinds.get(requestId) === 'Script') weight.script += encodedDataLength;
      });
      await page.goto(`${path}?env=prod`, { waitUntil: 'load' });
      const paint = await page.waitForFunction(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      );
      seen.push(await paint.jsonValue());
      await person.context.close();
    }
    row(`${path}: first paint, four times slower`, median(seen), 'ms', 1_000);
    row(`${path}: over the wire in all`, weight.all / 1024, 'KiB', 150);
    row(`${path}: script over the wire`, weight.script / 1024, 'KiB', 30);
  }
}

/** Kill to confirmed, as whoever pulls the lever sees it, in milliseconds. */
async function kills(lever, flag) {
  const times = [];
  for (let n = 0; n < KILLS; n += 1) {
    const opened = await lever.open(flag, 100);
    await lever.get(`/environments/prod/confirmations/${opened.revision}?wait_ms=10000`);
    // What a tab fetches after an opening is over before the lever is pulled, in both kinds of block.
    await new Promise((later) => setTimeout(later, 900));
    const from = performance.now();
    const { revision } = await lever.kill(flag, { reason: 'a figure' });
    const { state } = await lever.get(`/environments/prod/confirmations/${revision}?wait_ms=10000`);
    times.push(performance.now() - from);
    if (state !== 'confirmed') throw new Error(`r${revision} is ${state}`);
  }
  return times;
}

async function tabs(lever, browser) {
  const crowd = await Evaluators.of(lever);
  // A token has room for fifty tabs, and these are of several people.
  const people = Math.ceil(TABS / TABS_OF_TOKEN);
  const tokens = await Promise.all(Array.from({ length: people }, (_, n) => lever.tokenOf('operator', { name: `person ${n}` })));
  const env = { ...process.env, LEVER_URL: lever.url, LEVER_TOKENS: tokens.join(' ') };
  const others = fork(new URL('tabs.js', import.meta.url), { env });
  const told = async (word) => {
    others.send(word);
    const [answer] = await once(others, 'message');
    if (answer.failed) throw new Error(answer.failed);
    return answer;
  };
  try {
    await crowd.crowd(EVALUATORS);
    const flag = 'figures-kill';
    await lever.flag(flag);
    await kills(lever, flag);
    const without = [];
    const withTabs = [];
    let fetched = 0;
    for (let block = 0; block < BLOCKS; block += 1) {
      without.push(...(await kills(lever, flag)));
      await told({ open: TABS });
      const person = await Person.sit(browser, lever, { token: lever.token });
      for (const path of ['/now', `/kill/${flag}`, '/fleet']) {
        const tab = await person.tab();
        await tab.goto(`${path}?env=prod`);
      }
      withTabs.push(...(await kills(lever, flag)));
      await person.context.close();
      fetched += (await told({ close: true })).fetched;
    }
    row(`kill to confirmed of ${EVALUATORS}, no tab: half of ${without.length}`, median(without), 'ms');
    row(`kill to confirmed, ${TABS} tabs: half of ${withTabs.length}`, median(withTabs), 'ms');
    row('kill to confirmed, no tab: p90', quantile(sorted(without), 0.9), 'ms');
    row(`kill to confirmed, ${TABS} tabs: p90`, quantile(sorted(withTabs), 0.9), 'ms');
    row('kill to confirmed: medians, tabs to none', median(withTabs) / median(without), '×');
    row('pages the tabs fetched meanwhile', fetched, '');
  } finally {
    others.kill();
    await crowd.close();
  }
}

const only = process.argv.slice(2);
const wanted = (part) => only.length === 0 || only.includes(part);
const lever = await Lever.serve();
const browser = await launch();
try {
  console.log(`${process.env.LEVER_BIN ?? 'target/debug/lever'} on ${cpus().length} × ${cpus()[0].model}`);
  if (wanted('tabs')) await tabs(lever, browser);
  const from = performance.now();
  await seed(lever);
  row(`${FLAGS} flags made`, (performance.now() - from) / 1000, 's');
  if (wanted('server')) await serverTimes(lever);
  if (wanted('paint')) await paints(lever, browser);
  await writeFile('figures.json', `${JSON.stringify(rows, null, 2)}\n`);
} finally {
  await browser.close();
  await lever.close();
}
process.exitCode = rows.some(({ value, goal }) => goal !== undefined && value > goal) ? 1 : 0;
