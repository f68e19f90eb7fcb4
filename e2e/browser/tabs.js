// Many open tabs without their windows, in a process of their own: each holds a stream of notices and
// fetches its page when there is something new, no sooner and no more often than the console's script.

import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';

const { LEVER_URL: url, LEVER_TOKENS } = process.env;
const tokens = LEVER_TOKENS.split(' ');
const PAGES = ['/now', '/kill', '/fleet', '/rollouts', '/flags', '/audit'];
/** As in the script: fetches are this far apart, and spread by this much. */
const script = await readFile(new URL('../../crates/console/assets/js/live.js', import.meta.url), 'utf8');
const constant = (name) => Number(new RegExp(`${name} = (\\d+)`).exec(script)[1]);
const APART_MS = constant('APART_MS');
const SPREAD_MS = constant('SPREAD_MS');

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
let tabs = [];
let fetched = 0;

function open(number) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${tokens[number % tokens.length]}` };
    const tab = { path: `${PAGES[number % PAGES.length]}?env=prod`, last: 0, headers };
    const options = { agent, headers: { ...headers, accept: 'text/event-stream' } };
    tab.stream = get(`${url}/live?env=prod`, options, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`/live: ${answer.statusCode}`));
      answer.setEncoding('utf8').on('data', (text) => {
        resolve(tab);
        if (/^event: ?(change|fleet|tick)$/m.test(text)) soon(tab);
      });
      answer.on('error', () => {});
    }).on('error', reject);
  });
}

function soon(tab) {
  if (tab.timer) return;
  const wait = Math.max(0, APART_MS - (Date.now() - tab.last)) + Math.random() * SPREAD_MS;
  tab.timer = setTimeout(() => {
    tab.timer = undefined;
    tab.last = Date.now();
    get(`${url}${tab.path}`, { agent, headers: { ...tab.headers, accept: 'text/html' } }, (answer) => {
      answer.resume().on('end', () => (fetched += 1));
    }).on('error', () => {});
  }, wait);
}

process.on('message', async (told) => {
  try {
    if (told.open) {
      fetched = 0;
      tabs = await Promise.all(Array.from({ length: told.open }, (_, number) => open(number)));
      process.send({ opened: tabs.length });
    } else {
      for (const tab of tabs) {
        clearTimeout(tab.timer);
        tab.stream.destroy();
      }
      process.send({ fetched });
      tabs = [];
    }
  } catch (error) {
    process.send({ failed: error.message });
  }
});
