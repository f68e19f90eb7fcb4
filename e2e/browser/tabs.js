// Many open tabs without their windows, in a process of their own: each holds a stream of notices and
// fetches its page when there is something new, no sooner and no more often than the console's script.

import { Agent, get } from 'node:http';

const { LEVER_URL: url, LEVER_TOKEN: token } = process.env;
const PAGES = ['/now', '/kill', '/fleet', '/rollouts', '/flags', '/audit'];
/** As in the script: fetches are this far apart, and spread by this much. */
const APART_MS = 500;
const SPREAD_MS = 300;

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const headers = { authorization: `Bearer ${token}` };
let tabs = [];
let fetched = 0;

function open(number) {
  return new Promise((resolve, reject) => {
    const tab = { path: `${PAGES[number % PAGES.length]}?env=prod`, last: 0 };
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
    get(`${url}${tab.path}`, { agent, headers: { ...headers, accept: 'text/html' } }, (answer) => {
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
