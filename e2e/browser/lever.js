// Real servers for the browser to look at: `lever serve` on an empty directory, or the whole demo of
// `lever dev`; and the admin API, by which a test sees from outside what a page claims to have done.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const BINARY =
  process.env.LEVER_BIN ?? new URL('../../target/debug/lever', import.meta.url).pathname;

/** Longest one request may take, in milliseconds. */
const REQUEST_MS_MAX = 15_000;

export class Lever {
  #process;
  #folder;
  url;
  token;
  /** What it said on stdout so far. */
  said = [];

  /** An empty server; `config` is the text of its settings file. */
  static async serve({ config } = {}) {
    const lever = new Lever();
    lever.#folder = await mkdtemp(join(tmpdir(), 'lever-browser-'));
    const data = join(lever.#folder, 'data');
    const words = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--no-profile', '--json'];
    if (config) {
      const file = join(lever.#folder, 'serve.toml');
      await writeFile(file, config);
      words.push('--config', file);
    }
    const ready = JSON.parse(await lever.#start(words));
    lever.url = ready.url;
    lever.token = (await readFile(ready.admin_token_file, 'utf8')).trim();
    return lever;
  }

  /** The demo, with its shop, its evaluators and its pager; it goes on until it is closed. */
  static async dev(...options) {
    const lever = new Lever();
    lever.#folder = await mkdtemp(join(tmpdir(), 'lever-browser-'));
    await lever.#start(['dev', '--listen', '127.0.0.1:0', ...options]);
    // The profile is left before the first line is said.
    const profile = await readFile(join(lever.#folder, '.local/state/lever/profile.toml'), 'utf8');
    const text = (name) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(profile)[1];
    lever.url = text('url');
    lever.token = text('token');
    return lever;
  }

  /** Starts the program and gives its first line. */
  async #start(words) {
    // Nothing of the person's own settings or profile gets in, and nothing is left there.
    const env = { PATH: process.env.PATH, HOME: this.#folder, NO_COLOR: '1', LEVER_LOG: 'warn' };
    this.#process = spawn(BINARY, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout });
    lines.on('line', (line) => this.said.push(line));
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(this.#process, 'exit').then(([code]) => {
        throw new Error(`lever ${words[0]} ended with ${code} before it was ready`);
      }),
    ]);
    return line;
  }

  /** Asks the admin API; throws on a refusal. `seen` is the If-Match. */
  async ask(method, path, body, { seen, token = this.token } = {}) {
    const headers = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (seen !== undefined) headers['if-match'] = `"r${seen}"`;
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  get = (path) => this.ask('GET', path);
  post = (path, body, options) => this.ask('POST', path, body, options);
  put = (path, body, options) => this.ask('PUT', path, body, options);

  /** Creates a flag; a boolean one unless it says otherwise. */
  flag(key, definition = {}, reason = 'made for a test') {
    return this.post('/flags', {
      definition: {
        key,
        kind: 'ops',
        type: 'boolean',
        variants: { on: true, off: false },
        closed: 'off',
        open: 'on',
        owner: 'team-pay',
        ...definition,
      },
      why: { reason },
    });
  }

  lever = (flag, environment = 'prod') => this.get(`/flags/${flag}/environments/${environment}`);

  /** Opens a lever by hand, unwatched: nothing but the test moves it. */
  async open(flag, percentage, environment = 'prod', reason = 'made for a test') {
    const { revision } = await this.lever(flag, environment);
    const body = { exposure: { percentage }, unwatched: true, why: { reason } };
    return this.post(`/flags/${flag}/environments/${environment}/open`, body, { seen: revision });
  }

  kill = (flags, why, environment = 'prod') =>
    this.post(`/environments/${environment}/kill`, { flags: [flags].flat(), why });

  /** A new token. */
  async tokenOf(role, { name = `e2e ${role}`, environments = ['prod'] } = {}) {
    const made = await this.post('/tokens', {
      name,
      role,
      environments,
      why: { reason: 'made for a test' },
    });
    return made.token;
  }

  /** The newest records of the journal, by flag if one is named, the newest first. */
  async records(flag, limit = 20) {
    const of = flag ? `flag=${encodeURIComponent(flag)}&` : '';
    return (await this.get(`/journal?${of}limit=${limit}`)).records;
  }

  /** Stops the process where it stands, as a machine that hangs would. */
  pause = () => this.#process.kill('SIGSTOP');
  resume = () => this.#process.kill('SIGCONT');

  async close() {
    const child = this.#process;
    if (child && child.exitCode === null && !child.signalCode) {
      const ended = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended;
    }
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Settles with what `look` gives, as soon as that is something. For what is seen from outside only. */
export async function eventually(what, look, { ms = 15_000 } = {}) {
  const deadline = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > deadline) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await new Promise((again) => setTimeout(again, 50));
  }
}
